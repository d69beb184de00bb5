#![doc = include_str!("../README.md")]

mod certificate;
mod events;
mod pem;

pub use auth_core;
pub use certificate::ClientCertificate;
pub use rustls;
