//! The client credentials grant (RFC 6749 §4.4).

mod builder;
mod denied;
mod grant;
mod warnings;

pub use builder::ClientCredentialsBuilder;
pub use grant::ClientCredentials;
