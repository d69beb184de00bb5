#![doc = include_str!("../README.md")]

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
mod redact;
mod request;
mod secret;
mod shared_store;
mod source;
mod time;
mod token;
mod token_endpoint;
mod transport;

pub use async_trait::async_trait;
pub use authorizer::{
    Attempt, AttemptFuture, Authorizer, AuthorizerBuilder, Decision, Renewal, RenewalFuture,
    ReplayMethods, RequestHead, ResponseHead, TenantsBuilder, Verdict,
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
pub use origin::Target;
pub use request::{Scopes, TokenRequest, TokenRequestBuilder};
pub use secret::{ClientSecret, SecretString};
pub use shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore};
pub use source::TokenSource;
pub use time::{Clock, Now, Sleep, SystemClock};
pub use token::{AccessToken, Authorization, TokenResponse};
pub use token_endpoint::ClientAuthentication;
pub use transport::{HttpTransport, TransportBody};
