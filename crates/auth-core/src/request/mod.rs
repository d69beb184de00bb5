//! Token requests: what a client requests from the token endpoint.

mod authorization_detail;
mod builder;
mod scopes;
mod token_request;

pub(crate) use builder::RESERVED_PARAMETERS;
pub use builder::TokenRequestBuilder;
pub use scopes::Scopes;
pub use token_request::TokenRequest;
