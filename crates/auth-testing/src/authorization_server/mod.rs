//! An authorization server for grants without a user: client credentials, assertions, tokens that are exchanged or refreshed.

mod builder;
#[cfg(feature = "tls")]
mod certificates;
mod client;
mod client_authentication;
mod control;
mod granted;
mod grants;
mod metadata;
mod metadata_control;
mod observe;
mod parameters;
mod refresh_control;
mod respond;
mod revocation;
mod revocation_control;
mod server;
#[cfg(feature = "jose")]
mod signed;
mod token_endpoint;
mod token_error;

pub use self::{
    builder::AuthorizationServerBuilder, client_authentication::ClientAuthenticationMethod,
    metadata::MetadataPath, server::AuthorizationServer,
};
