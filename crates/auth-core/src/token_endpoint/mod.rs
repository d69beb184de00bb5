//! The token endpoint: its URL, the client's authentication there, and its responses. And the
//! revocation endpoint beside it.

mod authentication;
mod body;
mod builder;
mod denied;
mod endpoint;
mod error_response;
mod form;
mod http_request;
mod issued_tokens;
mod known_code;
mod location;
mod metadata;
mod redirect;
mod response;
mod retry_after;
mod revocation;
mod role;
mod url;
mod warnings;

pub use authentication::ClientAuthentication;
pub(crate) use authentication::Method;
pub use builder::TokenEndpointBuilder;
pub use endpoint::TokenEndpoint;
pub use form::Form;
pub use metadata::Metadata;
pub(crate) use response::REFRESH_TOKEN;
