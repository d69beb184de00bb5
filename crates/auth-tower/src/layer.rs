use std::fmt;

use auth_core::Authorizer;
use tower_layer::Layer;

use crate::{Auth, Bounded};

/// Puts an access token on the requests of a tower HTTP client.
///
/// A request that already has an `Authorization` header, or that goes to an origin the
/// [`Authorizer`] does not name, passes as it is. Without a token a request is not sent: the caller
/// gets an [`auth_core::Error`], boxed.
///
/// If the API refuses the token, another is requested, and the request is sent once more with it.
/// `R` says how its body is kept for that: [`Bounded`], unless [told otherwise](Self::replay). The
/// inner service is cloned for that.
///
/// Place it inside tower-http's `FollowRedirect`, so that every hop is judged by where it goes.
/// Outside, it takes the answer of the last hop for the answer to the request, and may send that
/// again although the first hop carried it out.
///
/// ```
/// use auth_tower::{AuthLayer, auth_core::Authorizer};
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use tower::ServiceBuilder;
///
/// # fn example(tokens: Authorizer) {
/// # let connector = hyper_util::client::legacy::connect::HttpConnector::new();
/// let hyper_client = Client::builder(TokioExecutor::new()).build(connector);
/// let client = ServiceBuilder::new()
///     .layer(AuthLayer::new(tokens))
///     .service(hyper_client);
/// # let _: auth_tower::Auth<Client<_, http_body_util::Full<bytes::Bytes>>> = client;
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
/// # fn example(tokens: Authorizer) {
/// let client = AuthLayer::new(tokens).layer(NotClone);
/// # }
/// ```
#[derive(Clone)]
pub struct AuthLayer<R = Bounded> {
    authorizer: Authorizer,
    replay: R,
}

impl AuthLayer {
    /// A layer that authorizes by the URI of each request, for clients that connect where the URI
    /// says: hyper's.
    ///
    /// tonic's `Channel` does not; for it there is `for_endpoint` (feature `tonic`). A gRPC request,
    /// or one whose URI is only a path, gets a token from this layer only if the authorizer was
    /// built with [`channel_is_trusted`](auth_core::AuthorizerBuilder::channel_is_trusted).
    ///
    /// Do not put it around a `Channel` by which you send requests of your own making that are not
    /// gRPC: by their absolute URIs they look like hyper's, and the channel goes elsewhere.
    #[must_use]
    pub fn new(authorizer: Authorizer) -> Self {
        Self {
            authorizer,
            replay: Bounded::default(),
        }
    }
}

impl<R> AuthLayer<R> {
    /// Keeps bodies in another way. Default: [`Bounded`], 64 KiB.
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
