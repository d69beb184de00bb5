#![doc = include_str!("../README.md")]

mod authorizer;
mod cache;
mod challenge;
mod client_credentials;
mod clock;
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
mod token;
mod transport;

pub use async_trait::async_trait;
pub use authorizer::{
    Attempt, AttemptFuture, Authorizer, AuthorizerBuilder, Decision, Renewal, RenewalFuture,
    ReplayMethods, RequestHead, ResponseHead, TenantsBuilder, Verdict,
};
#[cfg(auth_loom)]
#[doc(hidden)]
pub use cache::block_on;
pub use cache::{RefreshPolicy, RefreshPolicyBuilder, Status, TokenCache, TokenCacheBuilder};
pub use client_credentials::{ClientAuthentication, ClientCredentials, ClientCredentialsBuilder};
pub use clock::{Clock, Now, Sleep, SystemClock};
pub use error::{BoxError, Error, ErrorKind};
pub use keyed::{TokenCaches, TokenCachesBuilder};
pub use origin::Target;
pub use request::{Scopes, TokenRequest, TokenRequestBuilder};
pub use secret::{ClientSecret, SecretString};
pub use shared::{Lease, SharedKey, SharedToken, SharedTokenStore};
pub use source::TokenSource;
pub use token::{AccessToken, Authorization, TokenResponse};
pub use transport::{HttpTransport, TransportBody};
