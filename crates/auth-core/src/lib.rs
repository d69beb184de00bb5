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
mod keyed;
mod origin;
pub mod provider;
mod request;
mod secret;
mod shared;
mod source;
pub mod time;
mod token;
mod transport;
mod uri_syntax;

pub use async_trait::async_trait;
pub use authorizer::{Authorizer, AuthorizerBuilder, ReplayMethods, RequestHead, TenantsBuilder};
#[cfg(auth_loom)]
#[doc(hidden)]
pub use cache::block_on;
pub use cache::{RefreshPolicy, RefreshPolicyBuilder, Status, TokenCache, TokenCacheBuilder};
pub use client_credentials::{ClientAuthentication, ClientCredentials, ClientCredentialsBuilder};
pub use error::{BoxError, Error, ErrorKind};
pub use keyed::{TokenCaches, TokenCachesBuilder};
pub use origin::Origin;
pub use request::{Scopes, TokenRequest, TokenRequestBuilder};
pub use secret::{ClientSecret, SecretString};
pub use shared::{Lease, SharedKey, SharedToken, SharedTokenStore};
pub use source::TokenSource;
pub use token::{AccessToken, Authorization, TokenResponse};
pub use transport::{HttpTransport, TransportBody};
