//! hyper's clients, which the tests wrap in the layer.

use bytes::Bytes;
use http_body::Body;
use http_body_util::Full;
#[cfg(feature = "tls")]
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Builder, Client, connect::HttpConnector},
    rt::TokioExecutor,
};
#[cfg(feature = "tls")]
use rustls::ClientConfig;

/// hyper's client over TCP.
pub type HyperClient = Client<HttpConnector, Full<Bytes>>;
/// hyper's client over TLS.
#[cfg(feature = "tls")]
pub type HyperTlsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// hyper's client, HTTP/1.1.
pub fn hyper_client() -> HyperClient {
    hyper_client_of()
}

/// hyper's client, HTTP/1.1, for another body type.
pub fn hyper_client_of<B>() -> Client<HttpConnector, B>
where
    B: Body<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

/// hyper's client, HTTP/2 by prior knowledge.
pub fn hyper_h2c_client() -> HyperClient {
    Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http()
}

/// Returns a builder of hyper-util's client: HTTP/2 by prior knowledge, or by ALPN.
pub fn hyper_builder(prior_knowledge: bool) -> Builder {
    let mut builder = Client::builder(TokioExecutor::new());
    builder.http2_only(prior_knowledge);
    builder
}

/// A connector for TLS, with the protocol that ALPN selects, and for plain TCP.
#[cfg(feature = "tls")]
pub fn connector(config: ClientConfig) -> HttpsConnector<HttpConnector> {
    HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_all_versions()
        .build()
}

/// hyper's client over rustls, with the protocol that ALPN selects.
#[cfg(feature = "tls")]
pub fn hyper_tls_client(config: ClientConfig) -> HyperTlsClient {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_all_versions()
        .build();
    Client::builder(TokioExecutor::new()).build(connector)
}
