#![doc = include_str!("../README.md")]
//!
//! # Tasks
//!
//! | task | item |
//! |---|---|
//! | authorize the requests of one client | [`Authorizer::client_credentials`] ([`ClientCredentialsAuthorizerBuilder`]) |
//! | set a refresh policy, a shared store or other rejection statuses, which that builder lacks | [`ClientCredentials`] ([`ClientCredentialsBuilder`]), [`TokenCache`] ([`TokenCacheBuilder`]), [`Authorizer::builder`] ([`AuthorizerBuilder`]) |
//! | use the preset of a provider | [`provider`] |
//! | read the secret from a variable or from a file that is rotated | [`ClientSecret`] |
//! | choose the client's authentication method | [`ClientAuthentication`] |
//! | authenticate by a token that another program writes into a file | [`AssertionFile`] |
//! | authenticate by an assertion of a service that signs | [`AssertionSource`] ([`Assertion`], [`AssertionContext`], [`assertion_fn`], [`AssertionFn`]) |
//! | read the secret from a vault, or rotate it without a gap | [`ClientSecret::from_fn`], [`ClientSecret::rotating`] |
//! | let the metadata of the authorization server tell the token endpoint | [`TokenEndpoint::discover`] ([`Metadata`]) |
//! | authenticate by a private key | `auth-jose`, [`guide::private_key_jwt`] |
//! | authenticate by a certificate | [`ClientAuthentication::tls_client_auth`], [`guide::mtls`] |
//! | request tokens by a JWT as the grant | [`JwtBearer`] |
//! | exchange a token for another one | [`TokenExchange`] ([`TokenType`]) |
//! | use the refresh token of a user, which may rotate | [`RefreshToken`] ([`RefreshTokenStore`]) |
//! | use another grant, or send headers with the token requests | [`TokenEndpoint`] ([`TokenEndpointBuilder`], [`Form`]) |
//! | bind different tokens to different APIs | [`TokenRequest`] ([`TokenRequestBuilder`]), [`AuthorizerBuilder::origin_with`] |
//! | use another scope, audience or resource for one request | [`TokenRequest`] in the request's extensions |
//! | serve several tenants in one client | [`Authorizer::per_tenant`] ([`TenantsBuilder`], [`RequestHead`], [`Origin`]) |
//! | restrict the requests that are replayed after a rejection | [`ReplayMethods`] |
//! | set when tokens are refreshed, and how failures back off | [`RefreshPolicy`] ([`RefreshPolicyBuilder`]) |
//! | keep a token fresh that no request reads | [`TokenCacheBuilder::keep_warm`] |
//! | read a token without an adapter | [`TokenCache::token`] ([`AccessToken`], [`Scopes`]), [`TokenCache::cached`] ([`Authorization`]) |
//! | read one of many tokens without an adapter | [`TokenCaches`] ([`TokenCachesBuilder`]) |
//! | limit the token requests that are in flight at once | [`TokenCachesBuilder::max_concurrent_requests`] |
//! | end the backoff when a secret or a key was corrected | [`ClientSecret::from_file`], [`TokenSource::credentials_changed`] |
//! | report a rejected token without an adapter | [`TokenCache::reject`] ([`Replacement`], [`PendingToken`]) |
//! | learn of each new token, for a long-lived connection | [`TokenCache::changes`] ([`TokenChanges`]) |
//! | share one token among many processes | [`TokenCacheBuilder::shared_store`]; `auth-redis` for Redis and Valkey |
//! | save the token before a short-lived program exits | [`TokenCache::flush`] |
//! | revoke the token before a program exits | [`TokenCache::revoke`], [`TokenEndpointBuilder::revocation_endpoint`] |
//! | write a health endpoint | [`TokenCache::status`] ([`CacheStatus`]) |
//! | retry at once after the configuration has been corrected | [`TokenCache::clear_backoff`] |
//! | handle an error | [`Error`], [`Error::find`], [`ErrorKind`] |
//! | implement another grant, or a vault | [`TokenSource`] ([`TokenResponse`], [`SharedKey`](shared_store::SharedKey), [`async_trait`](macro@async_trait)) |
//! | send token requests through another HTTP client | [`HttpTransport`] ([`TransportBody`], [`NewConnection`], [`BoxError`]) |
//! | implement another shared store | [`SharedTokenStore`](shared_store::SharedTokenStore) ([`SharedToken`](shared_store::SharedToken), [`Lease`](shared_store::Lease), [`SecretString`]) |
//!
//! # Modules
//!
//! | module | for |
//! |---|---|
//! | [`guide`] | guides: [failures](guide::failures), [many tokens](guide::many_tokens), [workload identity](guide::workload_identity), [signed assertions](guide::private_key_jwt), [certificates](guide::mtls), [tests](guide::testing) |
//! | [`provider`] | presets for providers |
//! | [`adapter`] | adapters for further HTTP clients |
//! | [`shared_store`] | shared stores, beside `auth-redis` |
//! | [`time`] | clocks, which a test can replace |

pub mod adapter;
mod assertion;
mod attempt_time;
mod authorizer;
mod cache;
mod challenge;
mod client_secret;
mod credential_syntax;
mod error;
mod event_limit;
mod events;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod grants;
pub mod guide;
mod json_members;
mod keyed;
mod origin;
mod panics;
pub mod provider;
mod redact;
mod request;
mod secret;
mod secret_file;
pub mod shared_store;
mod source;
pub mod time;
mod token;
mod token_endpoint;
mod transport;
mod uri_syntax;
mod version;
mod visible_text;

pub use assertion::{
    Assertion, AssertionContext, AssertionFile, AssertionFn, AssertionSource, assertion_fn,
};
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
pub use client_secret::ClientSecret;
pub use error::{BoxError, Error, ErrorKind};
pub use grants::{
    ClientCredentials, ClientCredentialsBuilder, JwtBearer, RefreshToken, RefreshTokenStore,
    TokenExchange, TokenType,
};
pub use keyed::{TokenCaches, TokenCachesBuilder};
pub use origin::Origin;
pub use request::{Scopes, TokenRequest, TokenRequestBuilder};
pub use secret::SecretString;
pub use source::TokenSource;
pub use token::{AccessToken, Authorization, TokenResponse};
pub use token_endpoint::{
    ClientAuthentication, Form, Metadata, TokenEndpoint, TokenEndpointBuilder,
};
pub use transport::{HttpTransport, NewConnection, TransportBody};
