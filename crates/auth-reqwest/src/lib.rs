#![doc = include_str!("../README.md")]

mod middleware;
mod transport;

pub use auth_core;
pub use middleware::AuthMiddleware;
pub use transport::ReqwestTransport;
