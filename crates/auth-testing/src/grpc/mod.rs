//! The gRPC services of a protected API, and a client of one.

mod bytes_codec;
mod echo_client;
mod echo_service;
mod services;

pub(crate) use self::services::GrpcServices;
pub use self::{bytes_codec::BytesCodec, echo_client::EchoClient};
