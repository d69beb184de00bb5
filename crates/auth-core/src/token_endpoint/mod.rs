//! The token endpoint: its URL, the client's authentication there, and its responses.

mod authentication;
mod error_response;
mod known_code;
mod members;
mod redirect;
mod response;
mod retry_after;
mod url;

pub use authentication::ClientAuthentication;
pub(crate) use authentication::Method;
pub(crate) use response::{ReadResponse, ReceivedResponse};
pub(crate) use url::TokenEndpointUrl;
