use std::fmt;
#[cfg(not(feature = "hyper"))]
use std::future::poll_fn;

use async_trait::async_trait;
use auth_core::{BoxError, Error, HttpTransport, TransportBody};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

#[cfg(feature = "hyper")]
use crate::used_connection::send;

/// Sends token requests through a tower HTTP service, such as [`HyperClient`](crate::HyperClient).
///
/// The service **must not follow redirects**, because a token request carries the client's secret.
/// hyper's client does not follow them. A stack that contains tower-http's `FollowRedirect` does.
///
/// A token request should not be sent over a kept connection, which may have failed without notice.
/// Each token request therefore has the mark [`NewConnection`](auth_core::NewConnection) in its
/// extensions, and `HyperClient` sends it over a connection of its own. hyper-util's own `Client`
/// ignores the mark. With the feature `hyper`, which is enabled by default, the transport has that
/// client give the connection of a token request to no further request, from the moment in which the
/// request takes it. A token request can then only meet a connection that other requests to the same
/// origin left, and fail at most once for each, or share an HTTP/2 connection with token requests that
/// took it within the same microseconds. For other services, and without the feature, the service alone
/// decides.
///
/// The token requests carry the `User-Agent` of `auth-core`. A layer of the service that replaces the
/// header wins. For a layer that sets it only where there is none, such as tower-http's
/// `SetRequestHeaderLayer::if_not_present`, set
/// [`no_user_agent`](auth_core::ClientCredentialsBuilder::no_user_agent).
///
/// ```
/// use auth_tower::{HyperClient, TowerTransport};
///
/// # let connector = hyper_util::client::legacy::connect::HttpConnector::new();
/// let transport = TowerTransport::new(HyperClient::new(connector));
/// ```
#[derive(Clone)]
pub struct TowerTransport<S> {
    service: S,
}

impl<S, B> TowerTransport<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
{
    /// Creates a transport that sends each token request through a clone of `service`.
    pub fn new(service: S) -> Self {
        Self { service }
    }
}

#[async_trait]
impl<S, B> HttpTransport for TowerTransport<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let mut service = self.service.clone();
        let response = send(&mut service, request.map(Full::new)).await;
        let response = response.map_err(Error::connection)?;
        Ok(response.map(TransportBody::new))
    }
}

#[cfg(not(feature = "hyper"))]
async fn send<S, B>(service: &mut S, request: Request<Full<Bytes>>) -> Result<Response<B>, S::Error>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

impl<S> fmt::Debug for TowerTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerTransport").finish_non_exhaustive()
    }
}
