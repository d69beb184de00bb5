use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use auth_core::{BoxError, NewConnection};
use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{self, Builder, Client, connect::Connect},
    rt::TokioExecutor,
};
use tower_service::Service;

use crate::identity::ByIdentity;

/// hyper-util's `Client` for the API and for the token endpoint: it sends a request with the mark
/// [`NewConnection`], which each token request has, over a connection of its own, and closes the
/// connection after the response. Other requests share kept connections, as they do in hyper-util's
/// `Client` (feature `hyper`, enabled by default).
///
/// Clones share their connections. The connector decides about TLS and protocols: hyper-rustls'
/// connector for `https`. No proxy is used unless the connector uses one.
///
/// ```
/// use auth_tower::{
///     Auth, AuthLayer, HyperClient, TowerTransport,
///     auth_core::{Authorizer, ClientSecret, Error},
/// };
/// use hyper_util::client::legacy::connect::HttpConnector;
/// use tower::Layer;
///
/// # fn example(connector: HttpConnector, secret: ClientSecret) -> Result<(), Error> {
/// let client = HyperClient::new(connector);
/// let authorizer =
///     Authorizer::client_credentials("https://as.example.com/token", "my-client", secret)
///         .origin("https://api.example.com")
///         .build(TowerTransport::new(client.clone()))?;
/// let client: Auth<HyperClient<_>> = AuthLayer::new(authorizer).layer(client);
/// # Ok(())
/// # }
/// ```
pub struct HyperClient<C, B = Full<Bytes>> {
    pooled: Client<C, B>,
    /// Keeps no connection.
    unpooled: Client<C, B>,
    /// Takes the place of `pooled`, if the connections have an identity.
    by_identity: Option<Arc<ByIdentity<C, B>>>,
    settings: Arc<(Builder, C)>,
}

impl<C, B> HyperClient<C, B>
where
    C: Connect + Clone,
    B: Body<Data: Send> + Send,
{
    /// Creates a client with the defaults of hyper-util's `Client` on tokio.
    pub fn new(connector: C) -> Self {
        Self::from_builder(&Client::builder(TokioExecutor::new()), connector)
    }

    /// Creates a client with the settings of `builder`. They hold for token requests as well, except
    /// [`pool_max_idle_per_host`](Builder::pool_max_idle_per_host).
    pub fn from_builder(builder: &Builder, connector: C) -> Self {
        let unpooled = builder
            .clone()
            .pool_max_idle_per_host(0)
            .build(connector.clone());
        Self {
            pooled: builder.build(connector.clone()),
            unpooled,
            by_identity: None,
            settings: Arc::new((builder.clone(), connector)),
        }
    }

    /// Sets the identity of this machine at the servers, such as the thumbprint of a client certificate that
    /// is replaced while the program runs. When `identity` returns another text, the client opens new
    /// connections, and closes the kept ones when their requests have ended.
    ///
    /// A connection presents the certificate with which it was opened for as long as it lives. An API that
    /// requires tokens bound to the certificate
    /// ([RFC 8705 §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)) rejects each token of a new
    /// certificate over a connection of the old one, and requests in a steady flow keep that connection open.
    /// Without `identity` all of them then fail.
    ///
    /// `identity` is called for each request, except token requests. Clones that were made before do not have
    /// it. Default: none.
    ///
    /// ```
    /// use auth_tower::HyperClient;
    /// # use hyper_util::client::legacy::connect::HttpConnector;
    ///
    /// # fn example(connector: HttpConnector, thumbprint: fn() -> String) {
    /// // with auth-rustls: `move || certificate.thumbprint()`
    /// let client: HyperClient<_> = HyperClient::new(connector).with_identity(thumbprint);
    /// # }
    /// ```
    #[must_use]
    pub fn with_identity(mut self, identity: impl Fn() -> String + Send + Sync + 'static) -> Self {
        let (builder, connector) = &*self.settings;
        let client = ByIdentity::new(identity, builder.clone(), connector.clone());
        self.by_identity = Some(Arc::new(client));
        self
    }
}

impl<C, B> Service<Request<B>> for HyperClient<C, B>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    type Response = <Client<C, B> as Service<Request<B>>>::Response;
    type Error = legacy::Error;
    type Future = legacy::ResponseFuture;

    /// Is always ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), legacy::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> legacy::ResponseFuture {
        if let Some(NewConnection) = request.extensions().get() {
            return self.unpooled.request(request);
        }
        match &self.by_identity {
            None => self.pooled.request(request),
            Some(by_identity) => by_identity.client().request(request),
        }
    }
}

impl<C: Clone, B> Clone for HyperClient<C, B> {
    fn clone(&self) -> Self {
        Self {
            pooled: self.pooled.clone(),
            unpooled: self.unpooled.clone(),
            by_identity: self.by_identity.clone(),
            settings: Arc::clone(&self.settings),
        }
    }
}

impl<C, B> fmt::Debug for HyperClient<C, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperClient").finish_non_exhaustive()
    }
}
