//! What a client requests from the token endpoint.

mod builder;
mod scopes;
mod token_request;

pub(crate) use builder::OWN_PLACE;
pub use builder::TokenRequestBuilder;
pub use scopes::Scopes;
pub use token_request::TokenRequest;
