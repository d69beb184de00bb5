//! The token endpoint: its URL, the client's authentication there, and its responses.

mod authentication;
mod response;
mod url;

pub use authentication::ClientAuthentication;
pub(crate) use authentication::Method;
pub(crate) use response::ReceivedResponse;
pub(crate) use url::TokenEndpointUrl;
