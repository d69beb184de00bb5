use std::fmt;

use auth_core::Authorizer;
use auth_replay::Bounded;
use tower_layer::Layer;

use crate::service::Auth;

/// Puts an access token on the requests of a tower HTTP client.
///
/// A request that already has an `Authorization` header, that goes to an unlisted origin, or whose
/// `Host` header names another authority than its URI, is sent unchanged. A request that needs a token
/// and gets none is not sent: the caller receives an [`auth_core::Error`] as a boxed error, in which
/// [`Error::find`](auth_core::Error::find) finds it.
///
/// If an unlisted origin redirects a request to an allowed one, the caller receives an error of the
/// kind [`Redirected`](auth_core::ErrorKind::Redirected) instead of the response. A client outside the
/// layer that follows redirects would otherwise make a request of it, which would carry the token.
///
/// If the API rejects the token, the layer requests another and replays the request once with it, on
/// a clone of the inner service. `R` keeps the body for the replay: [`Bounded`] by default, or the
/// strategy given to [`replay`](Self::replay). The response to a request that is not replayed is held until
/// the other token has arrived, for one second or half of the `grpc-timeout` at most, so that the next
/// request carries it.
///
/// The `grpc-timeout` of a gRPC request bounds everything that the layer does for it: waiting for a token,
/// for readiness and for a replacement, and the replay. A request that is sent late, and a replay, carry
/// what is left. When the time ends while the layer waits, the error is a `tonic::Status` with the code
/// `DeadlineExceeded` (feature `tonic`), or an [`auth_core::Error`]. Other requests have no deadline of
/// their own: [the guide to failures](auth_core::guide::failures) lists what each timeout bounds.
///
/// Place the layer inside tower-http's `FollowRedirect`, which then asks it to authorize each hop by
/// the hop's own origin. Outside `FollowRedirect` it takes the response to the last hop for the
/// response to the request, and may replay a request that the first hop carried out. [The guide to
/// the order of layers](crate::guide::layers) shows a whole stack, and
/// [what happens to redirects](crate::guide::layers#redirects-on-each-stack).
///
/// ```
/// use auth_tower::{Auth, AuthLayer, HyperClient, auth_core::Authorizer};
/// use tower::ServiceBuilder;
///
/// # fn example(authorizer: Authorizer) {
/// # let connector = hyper_util::client::legacy::connect::HttpConnector::new();
/// let hyper_client = HyperClient::new(connector);
/// let client = ServiceBuilder::new()
///     .layer(AuthLayer::new(authorizer))
///     .service(hyper_client);
/// # let _: Auth<HyperClient<_>> = client;
/// # }
/// ```
///
/// The inner service must be `Clone`; tower's `Buffer` makes a service `Clone`.
///
/// ```compile_fail,E0277
/// # use auth_tower::{AuthLayer, auth_core::Authorizer};
/// # use tower::Layer;
/// struct NotClone;
///
/// # fn example(authorizer: Authorizer) {
/// let client = AuthLayer::new(authorizer).layer(NotClone);
/// # }
/// ```
#[derive(Clone)]
pub struct AuthLayer<R = Bounded> {
    authorizer: Authorizer,
    replay: R,
}

impl AuthLayer {
    /// Creates a layer that authorizes each request by its URI, for clients that connect to the host
    /// in the URI, such as hyper's.
    ///
    /// tonic's `Channel` ignores that host; use `for_endpoint` for it (feature `tonic`). A gRPC
    /// request, or one whose URI is only a path, gets a token from this layer only if the authorizer
    /// was built with [`danger_trust_channel`](auth_core::AuthorizerBuilder::danger_trust_channel).
    ///
    /// Do not put this layer around a `Channel` that also sends requests other than gRPC. A request
    /// with an absolute URI looks like one for hyper's client and gets the token of the origin in the
    /// URI, but the channel sends it to its endpoint.
    #[must_use]
    pub fn new(authorizer: Authorizer) -> Self {
        Self {
            authorizer,
            replay: Bounded::default(),
        }
    }
}

impl<R> AuthLayer<R> {
    /// Sets how bodies are kept for a replay. Default: [`Bounded`], 64 KiB.
    #[must_use]
    pub fn replay<R2>(self, replay: R2) -> AuthLayer<R2> {
        AuthLayer {
            authorizer: self.authorizer,
            replay,
        }
    }
}

impl<S: Clone, R: Clone> Layer<S> for AuthLayer<R> {
    type Service = Auth<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Auth::new(inner, self.authorizer.clone(), self.replay.clone())
    }
}

impl<R> fmt::Debug for AuthLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("authorizer", &self.authorizer)
            .finish_non_exhaustive()
    }
}
