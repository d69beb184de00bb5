//! A client for token requests to loopback that no proxy of the environment receives.

use auth_core::{Error, TransportBody};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper_util::{
    client::{
        legacy::{Client, connect::HttpConnector},
        proxy::matcher::Matcher,
    },
    rt::TokioExecutor,
};
use reqwest::Url;

use crate::proxy::is_loopback;

/// hyper-util's client, without proxies, kept connections and TLS, beside a reqwest client that uses
/// proxies. reqwest decides about proxies for a whole client, and its builder is not `Clone`.
pub(crate) struct Direct {
    environment: Matcher,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Direct {
    /// Returns `None` if `client` uses no proxy for loopback. Only the `Debug` of a reqwest client tells:
    /// its field `proxies` is absent with `no_proxy`, and begins with a custom proxy, written `_`, with
    /// [`client_builder`](crate::client_builder).
    pub(crate) fn beside(client: &reqwest::Client) -> Option<Self> {
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_max_idle_per_host(0);
        format!("{client:?}")
            .contains("proxies: [Matcher")
            .then(|| Self {
                environment: Matcher::from_system(),
                client: builder.build_http(),
            })
    }

    /// Returns whether a proxy of the environment would receive a request that has to stay on this
    /// machine.
    pub(crate) fn is_needed(&self, uri: &Uri) -> bool {
        // `Url` normalizes the host, as reqwest does
        let Ok(url) = uri.to_string().parse::<Url>() else {
            return false;
        };
        url.scheme() == "http" && is_loopback(&url) && self.environment.intercept(uri).is_some()
    }

    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<TransportBody>, Error> {
        let response = self.client.request(request.map(Full::new)).await;
        Ok(response.map_err(Error::connection)?.map(TransportBody::new))
    }
}
