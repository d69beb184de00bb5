//! The grants: token sources that request tokens from a token endpoint.

mod client_credentials;
mod client_credentials_builder;
mod jwt_bearer;
mod refresh_token;
mod refresh_token_store;
mod rotation;
mod subject;
mod token_exchange;
mod token_type;

pub use client_credentials::ClientCredentials;
pub use client_credentials_builder::ClientCredentialsBuilder;
pub use jwt_bearer::JwtBearer;
pub use refresh_token::RefreshToken;
pub use refresh_token_store::RefreshTokenStore;
pub use token_exchange::TokenExchange;
pub use token_type::TokenType;
