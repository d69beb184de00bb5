#![doc = include_str!("../README.md")]

mod middleware;
mod transport;
mod url;

pub use auth_core;
pub use middleware::AuthMiddleware;
pub use transport::ReqwestTransport;
