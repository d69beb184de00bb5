//! Tests of your own program, with time under the test's control.
//!
//! `auth-testing` runs an authorization server and a protected API inside the test process, on
//! loopback. The test can make both fail, and both count the requests that they receive.
//!
//! ```
//! use std::sync::Arc;
//!
//! use auth_core::{Authorizer, ClientAuthentication, ClientCredentials, TokenCache};
//! # use auth_core::HttpTransport;
//! use auth_testing::{AuthorizationServer, ManualClock, ProtectedApi};
//! # async fn example(transport: impl HttpTransport) -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::new();
//! let server = AuthorizationServer::builder()
//!     .client("id", "secret")
//!     .clock(Arc::new(clock.clone()))
//!     .start()
//!     .await?;
//! let api = ProtectedApi::start(&server).await?;
//!
//! let grant = ClientCredentials::builder(
//!     server.token_endpoint(),
//!     "id",
//!     ClientAuthentication::client_secret_basic("secret"),
//! )
//! .build(transport)?;
//! let tokens = TokenCache::builder(grant).clock(clock.clone()).build();
//! let authorizer = Authorizer::builder(tokens.clone()).origin(api.url()).build()?;
//! // … your client, with `authorizer` …
//!
//! tokens.token().await?;
//! assert_eq!(server.token_requests(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Moving time
//!
//! Give the same `ManualClock` to [`TokenCacheBuilder::clock`](crate::TokenCacheBuilder::clock) and
//! to the server. Time does not pass until the test advances it.
//!
//! A refresh runs in the background. Call [`TokenCache::flush`](crate::TokenCache::flush) before
//! moving time: it waits until the token request in flight has finished. Otherwise the deadline of
//! that request passes as time moves, and the test sees a timeout.
//!
//! ```
//! use std::time::Duration;
//! # use auth_core::TokenCache;
//! # use auth_testing::ManualClock;
//! # async fn example(tokens: TokenCache, clock: ManualClock) {
//! clock.advance(Duration::from_secs(500)); // the token of 600 s is stale now
//! let _stale = tokens.cached();            // starts a refresh in the background
//! tokens.flush().await;                    // waits for it
//! clock.advance(Duration::from_secs(500)); // the first token would have expired
//! assert!(tokens.cached().is_some());
//! # }
//! ```
//!
//! Under tokio's paused time use `TokioClock`, no real socket and no secret in a file
//! ([`ClientSecret::from_file`](crate::ClientSecret::from_file)): paused time skips ahead while a
//! socket or the thread that reads the file is waited for.
