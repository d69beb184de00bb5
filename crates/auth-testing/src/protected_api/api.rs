//! The handle of a protected API.

use std::{fmt, io, sync::Arc};

use super::protected_resource::ProtectedResource;
use crate::{authorization_server::AuthorizationServer, loopback::Loopback};

/// A protected resource that accepts the tokens of an [`AuthorizationServer`]
/// ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)), on an ephemeral port of 127.0.0.1.
///
/// The API speaks HTTP/1.1 and HTTP/2 with prior knowledge, without TLS unless its authorization server has
/// it. The value is a handle that
/// any thread may use, and clones are handles to the same API. When the last handle is dropped, the
/// runtime stops the API and closes its connections.
///
/// The response depends on the token alone, for every path and method:
///
/// | the request has | the response |
/// |---|---|
/// | an active token | 200 and `{"method": "POST", "path": "/orders?page=2", "body_length": 11}` |
/// | no token | 401, `WWW-Authenticate: Bearer` |
/// | a token that is unknown, expired or revoked, or bound to another client certificate | 401, `WWW-Authenticate: Bearer error="invalid_token"` |
/// | a token without the [required scope](Self::require_scope) | 403, `WWW-Authenticate: Bearer error="insufficient_scope", scope="…"` |
/// | a `DPoP` token and a proof that is not for this request, or that was used before | 401, `WWW-Authenticate: DPoP error="invalid_dpop_proof"` |
/// | a `DPoP` token and a proof without the [demanded nonce](Self::demand_nonce) | 401, `WWW-Authenticate: DPoP error="use_dpop_nonce"` |
/// | two `Authorization` headers, or `Bearer` without a token | 400, `WWW-Authenticate: Bearer error="invalid_request"` |
///
/// The challenge names the scheme of the request, `DPoP` or else `Bearer`. The API checks the claims
/// `htm`, `htu` and `nonce` of a proof ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)), and not its
/// signature.
///
/// A request passes these steps:
///
/// 1. The API records and counts it when its head has arrived, and reads its body to the end.
/// 2. It waits while the gate is closed ([`hold`](Self::hold)).
/// 3. It waits for the [latency](Self::set_latency).
/// 4. The next [fault](Self::fail_next) or [rejection](Self::reject_next), if any, is its outcome.
///    Otherwise the API checks its token.
///
/// With the feature `grpc` the same port serves gRPC: requests whose content type is
/// `application/grpc`. The services are `grpc.health.v1.Health`, whose overall health is `SERVING`,
/// and `auth.testing.Echo`, which has a method of each of the four kinds for `EchoClient`. A
/// rejection is a trailers-only response before the body is read: `UNAUTHENTICATED` (16) in place
/// of 401 and 400, `PERMISSION_DENIED` (7) in place of 403.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use auth_testing::{AuthorizationServer, ProtectedApi};
///
/// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
/// let api = ProtectedApi::start(&server).await?;
/// assert!(api.url().starts_with("http://127.0.0.1:"));
/// api.reject_next(1);
/// assert!(api.statuses().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ProtectedApi {
    pub(super) resource: Arc<ProtectedResource>,
    pub(super) loopback: Arc<Loopback>,
}

impl ProtectedApi {
    /// Starts an API on the current tokio runtime. It accepts connections when this returns, and
    /// checks tokens at `server` inside the process.
    ///
    /// # Errors
    /// If no port of 127.0.0.1 can be bound.
    pub async fn start(server: &AuthorizationServer) -> io::Result<Self> {
        let scheme = if server.tls().is_some() {
            "https"
        } else {
            "http"
        };
        let resource = Arc::new(ProtectedResource::new(server.tokens(), scheme));
        let loopback = Arc::new(Loopback::serve(Arc::clone(&resource), server.tls()).await?);
        Ok(Self { resource, loopback })
    }

    /// Returns the API's origin, `http://127.0.0.1:PORT`, or `https` if the authorization server has TLS.
    #[must_use]
    pub fn url(&self) -> String {
        self.loopback.url()
    }
}

impl fmt::Debug for ProtectedApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedApi")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
