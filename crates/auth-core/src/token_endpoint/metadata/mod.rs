//! The metadata of an authorization server (RFC 8414, OpenID Connect Discovery): where its endpoints
//! are.

mod discovery;
mod document;
mod issuer;

pub(super) use discovery::Discovery;
pub use document::Metadata;
