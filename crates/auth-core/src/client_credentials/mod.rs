//! The client credentials grant (RFC 6749 §4.4).

mod builder;
mod grant;
mod http_request;
mod issued_tokens;

pub use builder::ClientCredentialsBuilder;
pub use grant::ClientCredentials;
