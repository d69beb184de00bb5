#![doc = include_str!("../README.md")]

pub mod adapter;
mod authorizer;
mod cache;
mod challenge;
mod client_credentials;
mod error;
mod events;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
mod keyed;
mod origin;
pub mod provider;
mod redact;
mod request;
mod secret;
pub mod shared_store;
mod source;
pub mod time;
mod token;
mod token_endpoint;
mod transport;
mod uri_syntax;

pub use async_trait::async_trait;
pub use authorizer::{
    Authorizer, AuthorizerBuilder, ClientCredentialsAuthorizerBuilder, ReplayMethods, RequestHead,
    TenantsBuilder,
};
#[cfg(auth_loom)]
#[doc(hidden)]
pub use cache::block_on;
pub use cache::{
    CacheStatus, PendingToken, RefreshPolicy, RefreshPolicyBuilder, Replacement, TokenCache,
    TokenCacheBuilder, TokenChanges,
};
pub use client_credentials::{ClientCredentials, ClientCredentialsBuilder};
pub use error::{BoxError, Error, ErrorKind};
pub use keyed::{TokenCaches, TokenCachesBuilder};
pub use origin::Origin;
pub use request::{Scopes, TokenRequest, TokenRequestBuilder};
pub use secret::{ClientSecret, SecretString};
pub use source::TokenSource;
pub use token::{AccessToken, Authorization, TokenResponse};
pub use token_endpoint::ClientAuthentication;
pub use transport::{HttpTransport, TransportBody};
