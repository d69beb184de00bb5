//! The grants: token sources that request tokens from a token endpoint.

mod client_credentials;
mod client_credentials_builder;
mod jwt_bearer;
mod subject;

pub use client_credentials::ClientCredentials;
pub use client_credentials_builder::ClientCredentialsBuilder;
pub use jwt_bearer::JwtBearer;
