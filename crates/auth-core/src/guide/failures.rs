//! The behavior of requests when the authorization server, the API or the network fails.
//!
//! # The life of a token
//!
//! ```text
//!  requested                               stale               expired     end
//!  |---------------- fresh ------------------|------- stale -------|---------|
//!  reads return the token at once            reads return the      the token is
//!                                            token at once, and    no longer sent
//!                                            one refresh runs in
//!                                            the background
//! ```
//!
//! A token that lives 600 s becomes stale 174 s before its end on average, and expires 30 s before
//! it. The time at which it becomes stale is drawn for each token, between 120 s and 228 s before
//! the end, so that processes that started together do not refresh together.
//! [`RefreshPolicy`](crate::RefreshPolicy) has the formulas and all defaults.
//!
//! # When a token request fails
//!
//! | event | requests see |
//! |---|---|
//! | A refresh fails while the token is usable. | Nothing. The next attempt follows after a backoff of about 1 s, 2 s, 4 s, … 60 s, but at most half of the time that the token remains usable. After a denial or a `Retry-After` the backoff is longer, and the token may expire meanwhile. |
//! | There is no token, or it has expired. | All requests wait for one token request, for about 10 s at most. |
//! | That token request fails. | Every waiting request receives the same error. So does every later request until the next attempt is due. Without a token a request is **not sent**. |
//! | The authorization server is down, slow, or responds with 5xx, 408, 429 or an unreadable response. | The same error as after any failed token request. Attempts are about 1 s to 10 s apart while there is no token, or as `Retry-After` says (60 s at most). If a connection breaks before a response, one attempt follows immediately. |
//! | The authorization server denies the client (`invalid_client`, `invalid_scope`, any other 4xx except 408 and 429). | The same error as after any failed token request. Attempts are about 30 s to 5 min apart, because servers lock out clients that repeat denied requests quickly. The error states the code and the description and, for `invalid_scope`, the requested scopes. Call [`TokenCache::clear_backoff`](crate::TokenCache::clear_backoff) after the configuration has been corrected. |
//! | The token endpoint redirects. | An error. hyper's client and `ReqwestTransport` never follow redirects. Do not give `TowerTransport` a service that follows redirects. |
//! | A kept connection to the token endpoint no longer answers, refuses each HTTP/2 stream, or belongs to a runtime that is no longer driven. | Nothing: `auth_tower::HyperClient` and `ReqwestTransport` send each token request over a new connection. Another client should do so for requests with the mark [`NewConnection`](crate::NewConnection). |
//! | A caller is dropped, or its runtime ends. | Nothing. The token request continues, or another waiter starts one. |
//! | The token source panics. | An error, which backs off like an outage. |
//! | The machine was suspended, or its clock was set. | A token has expired as soon as either the monotonic or the wall clock says so. |
//! | The shared store is slow, or fails. | Nothing. After the operation's time limit the process requests its own token. The failure is logged and counted in [`CacheStatus::shared_store_failures`](crate::CacheStatus::shared_store_failures). |
//!
//! # When the API rejects a token
//!
//! | event | requests see |
//! |---|---|
//! | The API rejects the token: 401, or `grpc-status: 16` without a message. | One token request is made for all rejected requests. Each request is replayed once with the new token, if its body can be sent again. Otherwise, or if there is no other token, the caller receives the 401, and the next request carries the new token. |
//! | The API rejects every token. | The callers receive its 401s. Each cache makes at most four token requests in a row, and then one every 30 s (the rejection budget). During the first 30 s of a replacement, its rejection causes no token request, unless an API has accepted the replacement. |
//! | The API responds with 403, or with the error `insufficient_scope` or `invalid_request`. | The caller receives the response: another token would not help. |
//! | The API redirected the request, and the target rejects the token. | The request is replayed only if its method is safe (`GET`, `HEAD`, `OPTIONS`, `TRACE`): the first resource may have carried the request out. |
//!
//! [`AuthorizerBuilder::rejection_statuses`](crate::AuthorizerBuilder::rejection_statuses) sets
//! other statuses than 401.
//! [`AuthorizerBuilder::replay_methods`](crate::AuthorizerBuilder::replay_methods) restricts
//! replays to idempotent methods, or switches them off. The replayable bodies are:
//!
//! | stack | bodies that can be sent again |
//! |---|---|
//! | hyper, any tower client | Bodies up to 64 KiB: `Full<Bytes>`, `Empty<Bytes>`, `String`, and boxed bodies (`BoxBody`, `UnsyncBoxBody`) of common errors. A boxed body of unknown size is replayable until more than 64 KiB have been sent. `auth-replay` documents how to set another limit, to use bodies of your own, or to switch recording off. |
//! | tonic | All up to 64 KiB. A stream is replayable until more than 64 KiB have been sent. |
//! | reqwest | All but streams: those that `Request::try_clone` clones. |
//!
//! # When the caller's deadline passes
//!
//! A deadline that the layer knows bounds everything that it does for the caller: waiting for a token,
//! for readiness and for a replacement, and the replay. A request that is sent later than the caller
//! sent it, and a replay, carry what is left. The token request continues, and later requests use its
//! outcome. Time is measured by the clock of the cache.
//!
//! | deadline | effect |
//! |---|---|
//! | gRPC over `auth-tower`: the header `grpc-timeout`, which `tonic::Request::set_timeout` sets | Bounds the whole call. While the layer waits, the call ends with a `tonic::Status` with the code `DeadlineExceeded` (without the feature `tonic`, with an [`Error`](crate::Error)). The source is an [`Error`](crate::Error) of [`ErrorKind::Timeout`](crate::ErrorKind::Timeout). A sent request is bounded by the client: tonic's `Channel` ends it with `Cancelled`, hyper's client leaves it to the server. A malformed header is ignored. |
//! | reqwest: `RequestBuilder::timeout`, or `Request::timeout_mut` | Bounds the whole call. While the middleware waits, the error is `reqwest_middleware::Error::Middleware` with an [`Error`](crate::Error) of [`ErrorKind::Timeout`](crate::ErrorKind::Timeout); a sent request ends with reqwest's own error. |
//! | reqwest: `ClientBuilder::timeout`, `read_timeout`, `connect_timeout` | Bound each sending alone, and neither the wait for a token nor a call with a replay: the middleware does not see them. |
//! | `tonic::transport::Endpoint::timeout`, and a timeout inside `AuthLayer` | Bound each sending alone. |
//! | tower's `Timeout`, tower-http's `TimeoutLayer` or `tokio::time::timeout`, outside the layer | Bound the whole call: they drop its future. |
//!
//! # When a request carries no token
//!
//! | request | result |
//! |---|---|
//! | It goes to an unlisted origin. | It is sent without a token. A warning is logged, once for each of the first 64 origins. |
//! | It has an `Authorization` header of its own. | It is sent unchanged. |
//! | It goes through a connection whose destination is not known: tonic's `Channel` without `AuthLayer::for_endpoint`. | It is sent without a token. A warning is logged, once for each authorizer. |
//! | It belongs to no tenant. | It is sent without a token. A debug event is logged. |
//!
//! # Errors, logs and health
//!
//! In tower, downcast the `BoxError` to [`Error`](crate::Error). In reqwest-middleware, downcast
//! the `anyhow::Error` in `Error::Middleware`. A tonic client receives a `Status` (`Unavailable` or
//! `Unauthenticated`), whose source is the [`Error`](crate::Error).
//!
//! The [`Error`](crate::Error) has a [`kind`](crate::Error::kind), states whether it
//! [is transient](crate::Error::is_transient) and when the
//! [next attempt](crate::Error::retry_after) is made, and has the `error`, `error_description` and
//! `error_uri` of the authorization server (RFC 6749 §5.2).
//!
//! Events are emitted with `tracing`. Errors and events contain no secret, no token and no request
//! body. Of a token endpoint's response they quote only those three members, an unsupported
//! `token_type` and the content type.
//! [`TokenCache::status`](crate::TokenCache::status) is for health endpoints:
//!
//! ```
//! use auth_core::TokenCache;
//!
//! /// Healthy if there is a usable token, or if the last token request did not fail.
//! fn is_healthy(tokens: &TokenCache) -> bool {
//!     let status = tokens.status();
//!     status.has_usable_token() || status.consecutive_failures == 0
//! }
//! ```
