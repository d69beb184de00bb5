//! What is asked of a token endpoint, and therefore the key under which a token is kept.

mod builder;
mod scopes;
mod token_request;

pub(crate) use builder::OWN_PLACE;
pub use builder::TokenRequestBuilder;
pub use scopes::Scopes;
pub use token_request::TokenRequest;
