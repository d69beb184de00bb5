//! After a token request without an answer the next one takes another connection.

use std::time::Duration;

use auth_core::{ClientCredentials, TokenRequest, TokenSource};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{
    certificates::Authority,
    failing_connections::{FailingConnections, Fault, Protocol},
    reqwest_clients::reqwest_builder,
    with_timeout,
};
use reqwest::{Certificate, ClientBuilder};
use tokio::{runtime, time::timeout};

/// Returns an endpoint and a builder whose client speaks its protocol.
async fn peers(fault: Fault, protocol: Protocol, tls: bool) -> (FailingConnections, ClientBuilder) {
    let builder = reqwest_builder();
    let authority = tls.then(Authority::new);
    let endpoint = FailingConnections::start(fault, protocol, authority.as_ref()).await;
    let builder = match (&authority, protocol) {
        (Some(authority), _) => {
            let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
            builder.tls_certs_only([root])
        }
        (None, Protocol::Http2) => builder.http2_prior_knowledge(),
        (None, Protocol::Http1) => builder,
    };
    (endpoint, builder)
}

async fn each_request_takes_a_connection_of_its_own(fault: Fault, protocol: Protocol, tls: bool) {
    let (endpoint, builder) = peers(fault, protocol, tls).await;
    let grant = endpoint.grant(ReqwestTransport::new(builder).unwrap());
    let outcomes = with_timeout(endpoint.attempts(&grant, 4)).await;
    let connections = endpoint.requests_per_connection();
    assert_eq!((outcomes, connections), (vec![true; 4], vec![1; 4]));
}

#[tokio::test]
async fn kept_http2_connection_without_response_over_tls() {
    each_request_takes_a_connection_of_its_own(Fault::NoResponse, Protocol::Http2, true).await;
}

#[tokio::test]
async fn kept_http2_connection_without_response_by_prior_knowledge() {
    each_request_takes_a_connection_of_its_own(Fault::NoResponse, Protocol::Http2, false).await;
}

#[tokio::test]
async fn kept_http2_connection_that_refuses_streams_over_tls() {
    each_request_takes_a_connection_of_its_own(Fault::StreamsRefused, Protocol::Http2, true).await;
}

#[tokio::test]
async fn kept_http2_connection_that_refuses_streams_by_prior_knowledge() {
    each_request_takes_a_connection_of_its_own(Fault::StreamsRefused, Protocol::Http2, false).await;
}

#[tokio::test]
async fn half_open_http1_connection() {
    each_request_takes_a_connection_of_its_own(Fault::NoResponse, Protocol::Http1, false).await;
}

#[tokio::test]
async fn half_open_http1_connection_over_tls() {
    each_request_takes_a_connection_of_its_own(Fault::NoResponse, Protocol::Http1, true).await;
}

#[tokio::test]
async fn connection_that_works_is_not_kept() {
    each_request_takes_a_connection_of_its_own(Fault::None, Protocol::Http2, true).await;
    each_request_takes_a_connection_of_its_own(Fault::None, Protocol::Http1, false).await;
}

/// Nothing else ends a connection that works.
#[tokio::test]
async fn each_connection_is_closed_after_the_response() {
    for (protocol, tls) in [
        (Protocol::Http2, true),
        (Protocol::Http2, false),
        (Protocol::Http1, true),
        (Protocol::Http1, false),
    ] {
        let (endpoint, builder) = peers(Fault::None, protocol, tls).await;
        let grant = endpoint.grant(ReqwestTransport::new(builder).unwrap());
        assert_eq!(endpoint.attempts(&grant, 3).await, [true; 3]);
        with_timeout(endpoint.ended(3)).await;
    }
}

fn current_thread() -> runtime::Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

fn fetches(runtime: &runtime::Runtime, grant: &ClientCredentials) -> bool {
    let request = TokenRequest::default();
    let fetch = async { timeout(Duration::from_secs(10), grant.fetch(&request)).await };
    runtime.block_on(fetch).is_ok_and(|fetched| fetched.is_ok())
}

/// The tasks of a connection run in the runtime that opened it.
fn after_a_runtime_that_is_no_longer_driven(protocol: Protocol, tls: bool) {
    let servers = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (endpoint, builder) = servers.block_on(peers(Fault::None, protocol, tls));
    let grant = endpoint.grant(ReqwestTransport::new(builder).unwrap());
    let (kept, driven) = (current_thread(), current_thread());
    assert!(fetches(&kept, &grant));
    assert!(fetches(&driven, &grant), "the first runtime is not driven");
    assert!(fetches(&driven, &grant));
    drop(kept);
}

#[test]
fn connection_of_a_runtime_that_is_no_longer_driven() {
    after_a_runtime_that_is_no_longer_driven(Protocol::Http2, false);
    after_a_runtime_that_is_no_longer_driven(Protocol::Http1, false);
}

#[test]
fn connection_of_a_runtime_that_is_no_longer_driven_over_tls() {
    after_a_runtime_that_is_no_longer_driven(Protocol::Http2, true);
    after_a_runtime_that_is_no_longer_driven(Protocol::Http1, true);
}
