//! The HTTP clients that are put under the adapters, and shorthands for what a test sends.

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::ClientConfig;

use super::certificates::use_ring;

pub(crate) type HyperClient = Client<HttpConnector, Full<Bytes>>;
pub(crate) type HyperTlsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// hyper's client, HTTP/1.1.
pub(crate) fn hyper_client() -> HyperClient {
    hyper_client_of()
}

/// The same, for bodies of another type.
pub(crate) fn hyper_client_of<B>() -> Client<HttpConnector, B>
where
    B: Body<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

/// hyper's client, HTTP/2 by prior knowledge.
pub(crate) fn hyper_h2c_client() -> HyperClient {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http()
}

/// hyper's client over rustls, whatever protocol ALPN settles on.
pub(crate) fn hyper_tls_client(config: ClientConfig) -> HyperTlsClient {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_all_versions()
        .build();
    Client::builder(TokioExecutor::new()).build(connector)
}

/// reqwest's client as everybody makes it: it follows redirects.
pub(crate) fn reqwest_client() -> reqwest::Client {
    reqwest_builder().build().unwrap()
}

pub(crate) fn reqwest_builder() -> reqwest::ClientBuilder {
    use_ring();
    reqwest::Client::builder().no_proxy()
}

/// A `GET` without a body.
pub(crate) fn get(uri: impl AsRef<str>) -> Request<Full<Bytes>> {
    Request::get(uri.as_ref()).body(Full::default()).unwrap()
}
