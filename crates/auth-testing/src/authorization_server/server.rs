//! The handle of an authorization server, and the state behind it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use super::{metadata::Metadata, revocation::REVOCATION_PATH, token_endpoint::TokenEndpoint};
use crate::{
    answer::Answer,
    dpop::request_url,
    fault::Fault,
    issued_tokens::IssuedTokens,
    loopback::{Body, Loopback, Respond, Tls},
    script::Script,
    sync::{Counter, lock},
    traffic::Traffic,
};

/// An OAuth 2.0 authorization server on an ephemeral port of 127.0.0.1.
///
/// | grant | permitted by |
/// |---|---|
/// | client credentials ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)) | [`client`](crate::AuthorizationServerBuilder::client) |
/// | refresh token ([RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)) | [`issue_refresh_token`](Self::issue_refresh_token) |
/// | token exchange ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)) | [`exchange_tokens`](crate::AuthorizationServerBuilder::exchange_tokens) |
/// | JWT bearer ([RFC 7523 §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)) | `AuthorizationServerBuilder::assertion_issuer`, with the feature `jose` |
///
/// It has [metadata documents](Self::set_metadata_paths) and a [revocation endpoint](Self::revocation_endpoint).
///
/// The server speaks HTTP/1.1 and HTTP/2 with prior knowledge, without TLS unless the feature `tls` and
/// `AuthorizationServerBuilder::tls` enable it. The value is a handle
/// that any thread may use, and clones are handles to the same server. When the last handle is
/// dropped, the runtime stops the server and closes its connections. A
/// [`ProtectedApi`](crate::ProtectedApi) is no such handle: it continues to check tokens after their
/// server has stopped.
///
/// A token request passes these steps:
///
/// 1. The server reads, records and counts it.
/// 2. It waits while the gate is closed ([`hold`](Self::hold)).
/// 3. It waits for the [latency](Self::set_latency).
/// 4. The next [fault](Self::fail_next), if any, is its outcome. Otherwise the server responds as
///    RFC 6749 requires. A token request with a `DPoP` header yields a token of the type `DPoP`
///    ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)). The server checks the claims of the proof,
///    and not its signature.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use std::time::Duration;
/// use auth_testing::{Answer, AuthorizationServer};
/// use http::StatusCode;
///
/// let server = AuthorizationServer::builder()
///     .client("client", "secret")
///     .token_lifetime(Duration::from_secs(60))
///     .scopes("read write")
///     .start()
///     .await?;
/// assert!(server.token_endpoint().starts_with("http://127.0.0.1:"));
///
/// server.fail_next(1, Answer::status(StatusCode::SERVICE_UNAVAILABLE));
/// assert_eq!(server.token_requests(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthorizationServer {
    pub(super) state: Arc<State>,
    pub(super) loopback: Arc<Loopback>,
}

pub(super) struct State {
    /// The origin, set once the port is known.
    base: OnceLock<String>,
    tls: Tls,
    pub(super) endpoint: TokenEndpoint,
    pub(super) metadata: Metadata,
    pub(super) traffic: Traffic,
    pub(super) faults: Script<Fault>,
    pub(super) token_requests: Counter,
    pub(super) revocation_faults: Script<Fault>,
    pub(super) revocation_requests: Counter,
}

impl AuthorizationServer {
    /// Returns the issuer identifier: `http://127.0.0.1:PORT` and the
    /// [path of the issuer](crate::AuthorizationServerBuilder::issuer_path).
    #[must_use]
    pub fn issuer(&self) -> String {
        self.state.endpoint.issuer(&self.loopback.url())
    }

    /// Returns the URL of the token endpoint: `http://127.0.0.1:PORT` and the
    /// [path](crate::AuthorizationServerBuilder::token_endpoint_path).
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        self.state.endpoint.url(&self.loopback.url())
    }

    pub(crate) fn tokens(&self) -> &Arc<IssuedTokens> {
        &self.state.endpoint.tokens
    }

    pub(crate) fn tls(&self) -> Tls {
        self.state.tls.clone()
    }

    pub(super) async fn start(endpoint: TokenEndpoint, tls: Tls) -> std::io::Result<Self> {
        let state = Arc::new(State {
            traffic: Traffic::new(Arc::clone(&endpoint.tokens.clock)),
            endpoint,
            metadata: Metadata::default(),
            base: OnceLock::new(),
            tls: tls.clone(),
            faults: Script::default(),
            token_requests: Counter::default(),
            revocation_faults: Script::default(),
            revocation_requests: Counter::default(),
        });
        let loopback = Arc::new(Loopback::serve(Arc::clone(&state), tls).await?);
        // no client knows the port before
        let _ = state.base.set(loopback.url());
        Ok(Self { state, loopback })
    }
}

impl Respond for State {
    async fn respond(&self, request: Request<Incoming>) -> Option<Response<Body>> {
        let (head, body) = request.into_parts();
        let mut body = self.traffic.recorder.record(&head, body);
        body.read_fully().await?;
        let base = self.base.get().map(String::as_str).unwrap_or_default();
        let path = head.uri.path();
        if Metadata::is_at(path, &self.endpoint) {
            self.metadata.requests.increment();
            return match self.metadata.faults.take() {
                Some(fault) => fault.response().await,
                None => {
                    let request = Request::from_parts(head, ());
                    let answer = self.metadata.respond(&request, &self.endpoint, base);
                    Some(answer.into_response())
                }
            };
        }
        if path == REVOCATION_PATH {
            self.revocation_requests.increment();
            return match self.revocation_faults.take() {
                Some(fault) => fault.response().await,
                None => {
                    let request = Request::from_parts(head, body.received());
                    Some(self.endpoint.revoke(&request, base).into_response())
                }
            };
        }
        if path != *lock(&self.endpoint.path) {
            return Some(Answer::status(StatusCode::NOT_FOUND).into_response());
        }
        let _in_flight = self.traffic.enter();
        self.token_requests.increment();
        self.traffic.hold_back().await;
        match self.faults.take() {
            Some(fault) => fault.response().await,
            None => {
                let request = Request::from_parts(head, body.received());
                let url = request_url(base, request.uri(), request.headers());
                let answer = self.endpoint.respond(&request, base, &url);
                Some(answer.into_response())
            }
        }
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("token_endpoint", &self.token_endpoint())
            .finish_non_exhaustive()
    }
}
