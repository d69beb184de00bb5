//! Several scopes, audiences, APIs or tenants in one client.
//!
//! # One token for each API
//!
//! Bind a [`TokenRequest`](crate::TokenRequest) to an origin. Requests to that origin then carry
//! its token, on every stack, and need not name it:
//!
//! ```
//! use auth_core::{Authorizer, TokenCache, TokenRequest};
//!
//! # fn example(tokens: TokenCache) -> Result<(), auth_core::Error> {
//! let audience = |audience| TokenRequest::builder().audience(audience).build();
//! let authorizer = Authorizer::builder(tokens)
//!     .origin_with("https://orders.example.com", audience("orders")?)
//!     .origin_with("https://invoices.example.com", audience("invoices")?)
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! A request whose [`TokenRequest`](crate::TokenRequest) is bound to another origin fails and is not
//! sent: an orders token never goes to the invoices API.
//!
//! # One token for a single request
//!
//! A [`TokenRequest`](crate::TokenRequest) in a request's extensions picks the token of that
//! request. Build it once, and insert clones: clones are looked up fastest.
//!
//! ```
//! use auth_core::TokenRequest;
//!
//! # fn example() -> Result<(), auth_core::Error> {
//! let write = TokenRequest::builder().scope("document_write").build()?;
//!
//! // http::Request for hyper, tonic::Request for tonic
//! let mut request = http::Request::new(());
//! request.extensions_mut().insert(write.clone());
//! // reqwest-middleware: client.post(url).with_extension(write.clone()).send()
//! # Ok(())
//! # }
//! ```
//!
//! # One client for each tenant
//!
//! [`Authorizer::per_tenant`](crate::Authorizer::per_tenant) picks an authorizer for each request:
//! another client id, secret, scope and origin.
//!
//! ```
//! use auth_core::{Authorizer, RequestHead, TokenCache};
//!
//! #[derive(Clone, Eq, Hash, PartialEq)]
//! struct Tenant(u32);
//!
//! # fn example(
//! #     tokens: impl Fn(&Tenant) -> Result<TokenCache, auth_core::Error> + Send + Sync + 'static,
//! # ) -> Result<(), auth_core::Error> {
//! let authorizer = Authorizer::per_tenant(
//!     |request: &RequestHead<'_>| request.extension::<Tenant>().cloned(),
//!     move |tenant: &Tenant| {
//!         Authorizer::builder(tokens(tenant)?)
//!             .origin(format!("https://tenant-{}.example.com", tenant.0))
//!             .build()
//!     },
//! )
//! .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! Each [`TokenRequest`](crate::TokenRequest), as the source
//! [completes it](crate::TokenSource::effective_request), has a cache of its own, and each tenant an
//! authorizer. At most 10,000 of each are kept, and those that were not used for an hour are
//! dropped. The builders set other limits
//! ([`max_capacity`](crate::TokenCachesBuilder::max_capacity),
//! [`time_to_idle`](crate::TokenCachesBuilder::time_to_idle)).
//!
//! At most 16 token requests of one client are in flight at once
//! ([`max_concurrent_requests`](crate::TokenCachesBuilder::max_concurrent_requests)), and the others
//! wait in turn: first the default token, then refreshes, then new tokens. After denials of the
//! client for three of its token requests all of them back off:
//! [`TokenCaches`](crate::TokenCaches) has the details. Tenants do not share these limits.
