//! The handle of an authorization server, and the state behind it.

use std::{fmt, sync::Arc};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use super::token_endpoint::TokenEndpoint;
use crate::{
    answer::Answer,
    dpop::request_url,
    fault::Fault,
    issued_tokens::IssuedTokens,
    loopback::{Body, Loopback, Respond},
    script::Script,
    sync::Counter,
    traffic::Traffic,
};

/// An OAuth 2.0 authorization server for the client credentials grant
/// ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)), on an ephemeral port of
/// 127.0.0.1.
///
/// The server speaks HTTP/1.1 and HTTP/2 with prior knowledge, without TLS. The value is a handle
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
    pub(super) endpoint: TokenEndpoint,
    pub(super) traffic: Traffic,
    pub(super) faults: Script<Fault>,
    pub(super) token_requests: Counter,
}

impl AuthorizationServer {
    /// Returns the issuer identifier, `http://127.0.0.1:PORT`. The server has no metadata document.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.loopback.url()
    }

    /// Returns the URL of the token endpoint: the issuer and the
    /// [path](crate::AuthorizationServerBuilder::token_endpoint_path).
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}{}", self.loopback.url(), self.state.endpoint.path)
    }

    pub(crate) fn tokens(&self) -> &Arc<IssuedTokens> {
        &self.state.endpoint.tokens
    }

    pub(super) async fn start(endpoint: TokenEndpoint) -> std::io::Result<Self> {
        let state = Arc::new(State {
            traffic: Traffic::new(Arc::clone(&endpoint.tokens.clock)),
            endpoint,
            faults: Script::default(),
            token_requests: Counter::default(),
        });
        let loopback = Arc::new(Loopback::serve(Arc::clone(&state)).await?);
        Ok(Self { state, loopback })
    }
}

impl Respond for State {
    async fn respond(&self, request: Request<Incoming>) -> Option<Response<Body>> {
        let (head, body) = request.into_parts();
        let mut body = self.traffic.recorder.record(&head, body);
        body.read_fully().await?;
        if head.uri.path() != self.endpoint.path {
            return Some(Answer::status(StatusCode::NOT_FOUND).into_response());
        }
        let _in_flight = self.traffic.enter();
        self.token_requests.increment();
        self.traffic.hold_back().await;
        match self.faults.take() {
            Some(fault) => fault.response().await,
            None => {
                let request = Request::from_parts(head, body.received());
                let url = request_url(request.uri(), request.headers());
                Some(self.endpoint.respond(&url, &request).into_response())
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
