use std::{
    fmt,
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
            pooled: builder.build(connector),
            unpooled,
        }
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
        match request.extensions().get::<NewConnection>() {
            None => self.pooled.request(request),
            Some(NewConnection) => self.unpooled.request(request),
        }
    }
}

impl<C: Clone, B> Clone for HyperClient<C, B> {
    fn clone(&self) -> Self {
        Self {
            pooled: self.pooled.clone(),
            unpooled: self.unpooled.clone(),
        }
    }
}

impl<C, B> fmt::Debug for HyperClient<C, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperClient").finish_non_exhaustive()
    }
}
