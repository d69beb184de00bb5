//! An authorization server for the client credentials grant.

mod builder;
mod client_authentication;
mod control;
mod observe;
mod parameters;
mod token_endpoint;
mod token_error;

use std::{fmt, sync::Arc};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use self::token_endpoint::TokenEndpoint;
pub use self::{
    builder::AuthorizationServerBuilder, client_authentication::ClientAuthenticationMethod,
};
use crate::{
    Answer, Fault,
    count::Count,
    issued_tokens::IssuedTokens,
    loopback::{Body, Loopback, Respond},
    script::Script,
    traffic::Traffic,
};

/// An OAuth 2.0 authorization server on 127.0.0.1, at an ephemeral port, for the client credentials
/// grant ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
///
/// It speaks HTTP/1.1 and HTTP/2 with prior knowledge, without TLS. The value is a handle: clones
/// are the same server, any thread may use them, and when the last of them is dropped the server
/// ends, connections and all, as soon as its runtime gets to it. A [`ProtectedApi`](crate::ProtectedApi) is no such handle: it goes on checking
/// tokens when their issuer is gone.
///
/// A token request is recorded and counted when its body has been read. It then waits at the gate
/// ([`hold`](Self::hold)), then for the [latency](Self::set_latency), then meets the next
/// [fault](Self::fail_next) if there is one, and is answered as RFC 6749 says if there is none.
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
    state: Arc<State>,
    loopback: Arc<Loopback>,
}

struct State {
    endpoint: TokenEndpoint,
    traffic: Traffic,
    faults: Script<Fault>,
    token_requests: Count,
}

impl AuthorizationServer {
    /// A server with clients, scopes and habits of one's own.
    pub fn builder() -> AuthorizationServerBuilder {
        AuthorizationServerBuilder::default()
    }

    /// The issuer identifier: `http://127.0.0.1:PORT`. No metadata is served there.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.loopback.url()
    }

    /// The URL of the token endpoint: the issuer and the
    /// [path](AuthorizationServerBuilder::token_endpoint_path).
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}{}", self.loopback.url(), self.state.endpoint.path)
    }

    pub(crate) fn tokens(&self) -> &Arc<IssuedTokens> {
        &self.state.endpoint.tokens
    }

    async fn start(endpoint: TokenEndpoint) -> std::io::Result<Self> {
        let state = Arc::new(State {
            traffic: Traffic::new(Arc::clone(&endpoint.tokens.clock)),
            endpoint,
            faults: Script::default(),
            token_requests: Count::default(),
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
            Some(fault) => fault.play().await,
            None => {
                let request = Request::from_parts(head, body.so_far());
                Some(self.endpoint.answer(&request).into_response())
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
