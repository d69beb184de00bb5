//! The client credentials grant (RFC 6749 §4.4).

mod builder;
mod denied;
mod grant;
mod http_request;
mod issued_tokens;
mod warnings;

pub use builder::ClientCredentialsBuilder;
pub use grant::ClientCredentials;
