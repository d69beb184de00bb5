//! The grants: token sources that request tokens from a token endpoint.

mod client_credentials;
mod client_credentials_builder;

pub use client_credentials::ClientCredentials;
pub use client_credentials_builder::ClientCredentialsBuilder;
