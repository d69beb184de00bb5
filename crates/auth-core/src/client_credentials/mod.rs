//! The client credentials grant (RFC 6749 §4.4).

mod builder;
mod denied;
mod grant;

pub use builder::ClientCredentialsBuilder;
pub use grant::ClientCredentials;
