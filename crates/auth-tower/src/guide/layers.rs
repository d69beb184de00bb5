//! The order of layers around [`AuthLayer`](crate::AuthLayer).
//!
//! A tested stack for a client of hyper, outermost layer first:
//!
//! ```
//! use std::{
//!     fmt::Display,
//!     future::{Ready, ready},
//!     time::Duration,
//! };
//!
//! use auth_tower::{
//!     AuthLayer,
//!     auth_core::{Authorizer, BoxError},
//! };
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body::Body;
//! use http_body_util::Full;
//! use tower::{Service, ServiceBuilder, retry::Policy};
//! use tower_http::{follow_redirect::FollowRedirectLayer, trace::TraceLayer};
//!
//! /// `inner` is the HTTP client, such as hyper-util's.
//! fn stack<S, B>(
//!     authorizer: Authorizer,
//!     timeout: Duration,
//!     max_in_flight: usize,
//!     inner: S,
//! ) -> impl Service<Request<Full<Bytes>>, Response = Response<impl Body>, Error = BoxError> + Clone
//! where
//!     S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone,
//!     S::Error: Into<BoxError>,
//!     B: Body<Error: Display> + 'static,
//! {
//!     ServiceBuilder::new()
//!         .layer(TraceLayer::new_for_http())
//!         .timeout(timeout)
//!         .layer(FollowRedirectLayer::new())
//!         .retry(RetryUnavailable { retries_left: 2 })
//!         .layer(AuthLayer::new(authorizer))
//!         .concurrency_limit(max_in_flight)
//!         .service(inner)
//! }
//!
//! /// Sends a request again, without delay, while the API responds 503.
//! #[derive(Clone)]
//! struct RetryUnavailable {
//!     retries_left: usize,
//! }
//!
//! impl<T: Clone, B> Policy<Request<T>, Response<B>, BoxError> for RetryUnavailable {
//!     type Future = Ready<()>;
//!
//!     fn retry(
//!         &mut self,
//!         _: &mut Request<T>,
//!         result: &mut Result<Response<B>, BoxError>,
//!     ) -> Option<Ready<()>> {
//!         let response = result.as_ref().ok()?;
//!         if response.status() != StatusCode::SERVICE_UNAVAILABLE {
//!             return None;
//!         }
//!         self.retries_left = self.retries_left.checked_sub(1)?;
//!         Some(ready(()))
//!     }
//!
//!     fn clone_request(&mut self, request: &Request<T>) -> Option<Request<T>> {
//!         Some(request.clone())
//!     }
//! }
//! ```
//!
//! # Why this order
//! - **Trace** is outermost. It logs one span per call, however many requests are sent for it, and it
//!   never sees the token.
//! - **Timeout** is outside `AuthLayer`. Its duration bounds the whole call: waiting for a token and for
//!   readiness, the request, retries, redirects and the replay. A timeout inside `AuthLayer` does not
//!   bound the wait for a token. When a call times out, the token request continues, and later calls
//!   use its outcome. A gRPC call needs no such layer: its `grpc-timeout` bounds the same, with the
//!   status `DeadlineExceeded`. [The guide to failures](auth_core::guide::failures) lists what each kind
//!   of timeout bounds.
//! - **Redirects** are outside `AuthLayer`. `FollowRedirect` sends each hop through the layer, which
//!   authorizes the hop by its own origin: an unlisted origin gets no token, and cannot redirect to an
//!   allowed one. Inside `AuthLayer`, the layer would see only the first request and the last
//!   response, and it might replay a request that the first hop carried out.
//! - **Retry** is outside `AuthLayer`. Each attempt gets the token that is current then, and one that
//!   expired during the previous attempt is not sent again. Retry is inside the redirects, so that an
//!   attempt repeats one hop and not the hops before it. The policy need not retry a 401: `AuthLayer`
//!   replays a request whose token was rejected. An [`auth_core::Error`] says whether a retry may help
//!   ([`is_transient`](auth_core::Error::is_transient)); the cache itself backs off, so such retries
//!   need a delay.
//! - **Concurrency limit** is inside `AuthLayer`, where it counts requests in flight. A request that
//!   waits for a token holds no permit. Outside `AuthLayer` the requests that wait for a token would hold
//!   all permits, also those that requests to other origins need. The same holds for
//!   load balancing and connection pools, which therefore belong inside, too.
//!
//! A body must be `Clone` for the retry and `Default` for the redirects. The replay of `AuthLayer`
//! needs neither.
//!
//! # Redirects on each stack
//! The columns name the redirect: within an allowed origin, from it to another allowed origin, from it
//! to an unlisted origin, and from an unlisted origin to an allowed one. The last column says what is
//! replayed if the last response rejects the token.
//!
//! | stack | allowed → same origin | allowed → other allowed | allowed → unlisted | unlisted → allowed | replayed |
//! |---|---|---|---|---|---|
//! | `FollowRedirect` around `AuthLayer`, as above | followed with the token | followed with the token of the new origin | followed without a token | **error**, not followed | the last hop |
//! | `AuthLayer` around `FollowRedirect` | followed with the token | followed without a token | followed without a token | followed without a token | the first request, with all its hops |
//! | hyper's client in `AuthLayer`, without `FollowRedirect` | response returned | response returned | response returned | **error** instead of the response | the request |
//! | tonic's `Channel` in `AuthLayer` | not followed: a `Status` | not followed: a `Status` | not followed: a `Status` | not followed: a `Status` | the call |
//! | reqwest of `auth_reqwest::client_builder` with `AuthMiddleware` | followed with the token | followed without a token | followed without a token; a further hop within the unlisted origin is an error | followed without a token | the first request, with all its hops, if its method is safe and the last response is from its origin |
//! | reqwest with `Policy::none()` | response returned | response returned | response returned | response returned | the request |
//!
//! - **Why an error.** `FollowRedirect` makes a new request of each hop, and the layer cannot see that
//!   a redirect caused it. An unlisted origin could choose any path of the API, and the request would
//!   carry the token. The layer therefore returns an [`auth_core::Error`] of the kind
//!   [`Redirected`](auth_core::ErrorKind::Redirected) instead of the response. The same holds for a
//!   response to a request with the caller's own `Authorization` header, which `FollowRedirect` removes
//!   across origins; for the response of the host that a different `Host` header names; and for a
//!   `Location` whose host cannot be compared, because it is not ASCII.
//! - **reqwest's own redirect policy** drops the token on the hop to another origin and sends it again on
//!   the next hop if that stays within the other origin: an unlisted origin that redirects to itself
//!   receives the token. `auth_reqwest::redirect_policy`, which `auth_reqwest::client_builder` sets, returns
//!   an error for such a hop. tower-http's `FollowRedirect` does the same in 0.6, and not in 0.7: with 0.6,
//!   put it outside `AuthLayer`.
//! - **Tokens that are bound to a key** ([`auth_core::guide::dpop`]). A proof is valid for one URL.
//!   `FollowRedirect` around `AuthLayer` has a proof for each hop. Inside `AuthLayer` it would repeat the first
//!   one: [`ProofGuardLayer`](crate::ProofGuardLayer) below it makes an error of that. With reqwest of
//!   `client_builder` every redirect of a request with a proof is an error.
//! - **What to do.** Request the URL of the API itself: an upgrade from `http` to `https` counts, since
//!   the network may change the response. If the unlisted origin may choose requests with the token,
//!   add it to the allowed origins. If not, put `FollowRedirect` inside `AuthLayer`.
//! - **Never on both sides.** An inner `FollowRedirect` stops at the limit of its policy, and may return the
//!   redirect of an unlisted origin as the response to a request with the token. An outer one would follow it to
//!   the API, with the token.
//! - **Allowed origins trust each other.** A redirect from one to another is followed, with the token
//!   that is [bound](auth_core::AuthorizerBuilder::origin_with) to the new origin, if one is. Use two
//!   clients for APIs that must not choose each other's requests.
//! - **Tenants.** The [tenant](auth_core::Authorizer::per_tenant) of a hop is decided anew. `FollowRedirect`
//!   drops the extensions and the credentials of a request across origins, and may change its method. The check
//!   of an unlisted origin's response therefore asks for the tenant of each form that the hop may have. A redirect
//!   from an origin of one tenant to one of another is followed, with the token of the hop's tenant. Where tenants
//!   follow from the host and must not choose each other's requests, use a client for each of them.
//! - **Any origin.** With [`danger_any_origin`](auth_core::AuthorizerBuilder::danger_any_origin) no origin
//!   is unlisted, and every redirect is followed with the token.
//! - **tonic.** A `Channel` sends each request to its endpoint, whatever the URI says. Do not put
//!   `FollowRedirect` around it.
//!
//! # gRPC-Web
//! Put tonic-web's `GrpcWebClientLayer` inside `AuthLayer`:
//!
//! ```text
//! ServiceBuilder::new()
//!     .layer(AuthLayer::new(authorizer))
//!     .layer(GrpcWebClientLayer::new())
//!     .service(client)
//! ```
//!
//! A gRPC-Web response may have its status in the headers, or at the end of the body. tonic-web's layer
//! turns the latter into trailers. `client` may be hyper's. The authorizer then needs
//! [`danger_trust_channel`](auth_core::AuthorizerBuilder::danger_trust_channel), as for every gRPC call
//! without tonic's `Channel`.
//!
//! | `GrpcWebClientLayer` | status 16 in the headers | status 16 in the body |
//! |---|---|---|
//! | inside `AuthLayer` | the call is replayed | the next call has another token |
//! | outside `AuthLayer` | the next call has another token | **not classified** |
//!
//! Outside, `AuthLayer` sees gRPC-Web. It does not read bodies, and tonic-web's body of a request is not one
//! that it can send twice.
