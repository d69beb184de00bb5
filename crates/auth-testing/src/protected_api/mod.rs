//! A protected resource.

mod bearer;
mod control;
mod observe;
mod protocol;
mod refusal;
mod resource;

use std::{fmt, io, sync::Arc};

use self::resource::Resource;
use crate::{AuthorizationServer, loopback::Loopback};

/// A protected resource on 127.0.0.1, at an ephemeral port, that wants a bearer token of an
/// [`AuthorizationServer`] ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
///
/// It speaks HTTP/1.1 and HTTP/2 with prior knowledge on one port, without TLS. The value is a
/// handle: clones are the same server, any thread may use them, and when the last of them is dropped
/// the server ends, connections and all, as soon as its runtime gets to it.
///
/// Every path and method is answered alike:
///
/// | the request has | the answer |
/// |---|---|
/// | an active token | 200 and `{"method": "POST", "path": "/orders?page=2", "body_length": 11}` |
/// | no bearer token | 401, `WWW-Authenticate: Bearer` |
/// | a token that is unknown, expired or revoked | 401, `WWW-Authenticate: Bearer error="invalid_token"` |
/// | a token without the [required scope](Self::require_scope) | 403, `WWW-Authenticate: Bearer error="insufficient_scope", scope="…"` |
/// | two `Authorization` headers, or `Bearer` without a token | 400, `WWW-Authenticate: Bearer error="invalid_request"` |
///
/// A request is recorded and counted when its head has arrived. It then has its body read to the
/// end, waits at the gate ([`hold`](Self::hold)), then for the [latency](Self::set_latency), then
/// meets the next [fault](Self::fail_next) or [refusal](Self::refuse_next) if there is one, and has
/// its token checked if there is none.
///
/// With the feature `grpc` the same port answers gRPC requests, told by their content type:
/// `grpc.health.v1.Health` (the overall health is `SERVING`) and, for all four shapes of a call
/// without generated code, the `auth.testing.Echo` of `EchoClient`. There a
/// refusal is a trailers-only response, `UNAUTHENTICATED` (16) for 401 and 400,
/// `PERMISSION_DENIED` (7) for 403, and it comes before the body is read.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use auth_testing::{AuthorizationServer, ProtectedApi};
///
/// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
/// let api = ProtectedApi::start(&server).await?;
/// assert!(api.url().starts_with("http://127.0.0.1:"));
/// api.refuse_next(1);
/// assert!(api.statuses().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ProtectedApi {
    state: Arc<Resource>,
    loopback: Arc<Loopback>,
}

impl ProtectedApi {
    /// Starts an API on the current tokio runtime that checks tokens at `server`, in process. It
    /// answers as soon as this returns.
    ///
    /// # Errors
    ///
    /// When no port of 127.0.0.1 can be bound.
    pub async fn start(server: &AuthorizationServer) -> io::Result<Self> {
        let state = Arc::new(Resource::new(server.tokens()));
        let loopback = Arc::new(Loopback::serve(Arc::clone(&state)).await?);
        Ok(Self { state, loopback })
    }

    /// The API's origin: `http://127.0.0.1:PORT`, to which a path is added.
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
