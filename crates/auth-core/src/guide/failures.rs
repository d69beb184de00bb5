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
//! | The authorization server is down, slow, or responds with 5xx, 429, or a 4xx other than 400, 401 and 403 without a registered error code (404, 408, 421 and others, as an ingress sends them during a deployment). | The same error as after any failed token request. Attempts are about 1 s to 10 s apart while there is no token. A `Retry-After` can lengthen this, to 60 s at most, and never shortens it. If a connection breaks before a response, one attempt follows immediately. |
//! | The response is not a success, and its body does not end. | The status and the headers count after 1 s, or after half of the attempt's remaining time if that is shorter. A success whose body does not end is a timeout. |
//! | The authorization server responds with a success whose token cannot be used: no token, a character that no header may hold, another `token_type`, a page instead of JSON. | The same error as after a denial, and the same backoff: the server has counted the token request. Apart from the token and its type, nothing in a success makes it unusable: an unreadable `expires_in` counts as absent, and other members are skipped. |
//! | The authorization server denies the token request: 400, 401 or 403 with or without an error code, another 4xx with one (`invalid_client`, `invalid_scope`, …), or an error in a success. | The same error as after any failed token request. Attempts are about 30 s to 5 min apart, because servers lock out clients that repeat denied requests quickly. The error states the code and the description and, for `invalid_scope`, the requested scopes. A corrected secret file is noticed within about a second, and the next attempt is made at once ([`TokenSource::credentials_changed`](crate::TokenSource::credentials_changed)). Call [`TokenCache::clear_backoff`](crate::TokenCache::clear_backoff) after other configuration has been corrected. |
//! | It denies the client itself (`invalid_client`, `unauthorized_client`, a 401). | As above. After denials in three caches, the caches of all [`TokenRequest`](crate::TokenRequest)s of the client back off together. After the backoff one of them asks. Usable tokens stay in use. A `TokenRequest` that never got a token does not delay those that did. |
//! | More than 16 tokens of one client are needed at once. | The token requests are sent in turn, 16 at a time ([`max_concurrent_requests`](crate::TokenCachesBuilder::max_concurrent_requests)). The time in the queue does not count as time of an attempt. If the token endpoint responds to none of them for 12 s, those that have waited as long fail. [`TokenCaches`](crate::TokenCaches) describes the order. |
//! | The token requests of some [`TokenRequest`](crate::TokenRequest)s hang. | After the first of them have timed out, at least half of the turns is left to the default token and to refreshes, and those that hang are sent last. |
//! | The assertion of a [`JwtBearer`](crate::JwtBearer), or a token of a [`TokenExchange`](crate::TokenExchange), cannot be made. | The error of its source, whose kind decides about the backoff. It begins with the parameter: `assertion`, `subject_token`, `actor_token`. After a denial the next attempt is made at once if the [version](crate::AssertionSource::version) of its source has changed. |
//! | The authorization server denies a refresh token (`invalid_grant`). | The same error as after a denial. The user has to authorize the client again. Once the [store](crate::RefreshTokenStore) has another refresh token, the next attempt is made within about a second. |
//! | A new refresh token cannot be saved. | Nothing while the current access token is usable, and then the error of the store. Each attempt, about 1 s to 10 s apart, saves the refresh token without another token request: see [`RefreshToken`](crate::RefreshToken). |
//! | The response to a [`RefreshToken`](crate::RefreshToken) is later than the attempt timeout. | The error of a timeout. The token request continues for up to 20 s, its refresh token is saved, and the next attempt uses its access token. |
//! | The function that makes a tenant's authorizer fails or panics. | The requests of that tenant receive its error at once, until the next attempt: after 1 s, 2 s, … 60 s. |
//! | The token endpoint redirects. | An error, which names the target. hyper's client and `ReqwestTransport` never follow redirects. Do not give `TowerTransport` a service that follows redirects. |
//! | A kept connection to the token endpoint no longer answers, refuses each HTTP/2 stream, or belongs to a runtime that is no longer driven. | Nothing: `auth_tower::HyperClient` and `ReqwestTransport` send each token request over a new connection. Another client should do so for requests with the mark [`NewConnection`](crate::NewConnection). |
//! | The file of the client's secret is missing, empty or malformed. | A transient error, because the file may be in rotation. The next token request reads the file again. |
//! | A read of the file of the client's secret hangs, as on a network mount without a server. | Each token request fails after the attempt timeout. The read in flight holds one thread, and further token requests start no other. |
//! | A caller is dropped, or its runtime ends. | Nothing. The token request continues, or another waiter starts one. |
//! | The token source panics. | An error, which backs off like an outage. |
//! | The machine was suspended, or its clock was set. | A token has expired as soon as either the monotonic or the wall clock says so. |
//! | The shared store is slow, or fails. | Nothing. After the operation's time limit the process requests its own token. The failure is logged and counted in [`CacheStatus::shared_store_failures`](crate::CacheStatus::shared_store_failures). |
//!
//! # When the API rejects a token
//!
//! | event | requests see |
//! |---|---|
//! | The API rejects the token: 401, any 4xx with the error `invalid_token`, or, for a gRPC request, `grpc-status: 16` in the headers of the response. | One token request is made for all rejected requests. Each request is replayed once with the new token, if its body can be sent again. Otherwise the response is held until the new token has arrived, for 1 s or half of the caller's deadline at most: the caller receives it, and its next request carries the new token. If there is no other token, the caller receives the first response. |
//! | A gRPC call ends with status 16 in the trailers. | The call is not replayed, because its caller has received the headers of the response. If its token is still the current one, another token is requested. The trailers are held until it has arrived, for 1 s or the rest of the call's `grpc-timeout` at most, and the next call carries it. `auth-reqwest` sees no trailers. |
//! | The API rejects every token. | The callers receive its 401s. Each cache requests at most four tokens in a row, and then one every 30 s (the rejection budget). During the first 30 s of a replacement, its rejection causes no token request, unless an API has accepted the replacement, or had accepted the token that it replaced. |
//! | The API revokes the token together with its replacement, which was in flight or had been saved by another process. | The request that is replayed with the replacement receives the 401. The replacement is replaced by the next request, or after 1 s if another process had saved it. |
//! | One endpoint rejects every token without a reason, and the API then revokes the token. | Rejections with the error `invalid_token` have a rejection budget of their own, and replace a replacement that was requested after a rejection without it. The revoked token is therefore replaced at once. |
//! | One endpoint rejects every token as the others reject a revoked one, and the API then revokes the token. | The last token request of the budget is kept for a token that no API has accepted for 1 s. The revoked token is replaced within about 2 s, or within 30 s if the other endpoints are slow, receive few requests, or do not check the token. |
//! | The API revokes the token while the token endpoint is down. | The callers receive the 401s of the API. The attempts are as far apart as without a token, about 1 s to 10 s, and the failed ones do not use the rejection budget. |
//! | The API revokes the token, and the token endpoint returns it once more. | The callers receive the 401s of the API. The token endpoint is asked again after about 1 s, 2 s, 4 s, …, within the rejection budget. |
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
//! # When a token is revoked
//!
//! [`TokenCache::revoke`](crate::TokenCache::revoke) revokes the current token (RFC 7009) and drops it.
//!
//! | event | effect |
//! |---|---|
//! | The server does not know the token, or has revoked it before. | It counts as revoked: RFC 7009 §2.2 requires a 200. |
//! | The server responds with 503. | The token is still valid, and the cache keeps it. With a `Retry-After` that ends within the attempt timeout the revocation is repeated by itself. Otherwise the error has [`server_retry_after`](crate::Error::server_retry_after). |
//! | The server denies the revocation, or does not answer within the attempt timeout. | An error, and the cache keeps the token. If it was revoked nevertheless, the API rejects it, and it is replaced. |
//! | Other processes use the token from a shared store. | Those that hold it see it rejected, and replace it. The others do not load it any more. |
//! | A request with the token is in flight. | The API may reject it. The request is then replayed with another token, as after any rejection. |
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
//! | It goes to an unlisted origin. | It is sent without a token. A warning is logged, once for each of the first 64 origins. One more warning says that further origins are not logged. |
//! | Its `Host` header names another authority than its URI, or cannot be read. | It is sent without a token. A warning is logged, like that for unlisted origins. |
//! | It has an `Authorization` header of its own. | It is sent unchanged. |
//! | It goes through a connection whose destination is not known: tonic's `Channel` without `AuthLayer::for_endpoint`. | It is sent without a token. A warning is logged, once for each authorizer. |
//! | It belongs to no tenant. | It is sent without a token. A debug event is logged. |
//!
//! Spellings of one origin are one origin: the case of letters, a default port, leading zeros of a
//! port, the forms of an IPv6 address, and a dot at the end of a name of several labels make no
//! difference. A name of one label with such a dot, such as `localhost.`, is another host.
//!
//! If an unlisted origin redirects a request to an allowed one, the tower layer returns an error of
//! the kind [`Redirected`](crate::ErrorKind::Redirected) instead of the response. A client outside
//! the layer would follow the redirect with a request that carries the token. The guide
//! `auth_tower::guide::layers` has a table of redirects on each stack.
//!
//! # Errors, logs and health
//!
//! [`Error::find`](crate::Error::find) finds the [`Error`](crate::Error) in what a client returns: in
//! the `BoxError` of tower, the error of reqwest-middleware, and the `Status` that a tonic client
//! receives. It looks through further wrappers, such as reqwest-retry, anyhow, tower's `Buffer` and
//! `io::Error`.
//!
//! ```
//! use std::time::Duration;
//!
//! use auth_core::Error;
//!
//! /// Returns when another attempt is worthwhile, if the request was not sent for lack of a token.
//! fn next_attempt(error: &(dyn std::error::Error + 'static)) -> Option<Duration> {
//!     Error::find(error)?.retry_after()
//! }
//! ```
//!
//! The `Status` is `Unavailable` if the error is transient, otherwise `Internal`. It is never
//! `Unauthenticated`: a service that passes it on would make its caller refresh a valid token. Its
//! message names neither the token endpoint nor the description of the authorization server.
//!
//! The [`Error`](crate::Error) has a [`kind`](crate::Error::kind), states whether it
//! [is transient](crate::Error::is_transient) and when the
//! [next attempt](crate::Error::retry_after) is made, and has the `error`, `error_description` and
//! `error_uri` of the authorization server (RFC 6749 §5.2).
//!
//! Events are emitted with `tracing`. `auth_core.token_rejected` and `auth_core.replacement_withheld`
//! are each emitted at most once a second for each cache; the field `suppressed` counts the events
//! since the last emitted one. Errors and events contain no secret, no token and no request body.
//! Of a token endpoint's response they quote only those three members or what the server has in
//! their place, an unsupported `token_type`, the content type and the content coding, and origin and
//! path of a redirect or of the token endpoint in a metadata document.
//!
//! A text that comes from outside is changed before it reaches an error or an event:
//!
//! - Control characters, bidirectional and zero-width ones, and others that show nothing are removed.
//! - An echo of the client's secret, of what a grant presents (an assertion, a subject, actor or refresh
//!   token) or of a token of the client is replaced by `[redacted]`, also in
//!   the errors of the transport: the text itself, percent-encoded, form-encoded, with escapes of
//!   JSON or HTML, in base64 and base64url at any alignment, and in hexadecimal. So is a part of at
//!   least 12 characters. A secret of less than 8 characters is replaced only where it stands
//!   alone, and one of less than 4 characters only beside a sign such as a quote or `=`.
//! - A known error code is never changed, even if the secret is a part of it.
//!
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
