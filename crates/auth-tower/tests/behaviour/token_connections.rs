//! After a token request without an answer the next one takes another connection.

use std::sync::Arc;

use auth_core::{ClientCredentials, HttpTransport, TokenRequest, TokenSource};
use auth_test_support::{
    certificates::{Authority, use_ring},
    failing_connections::{FailingConnections, Fault, Protocol},
    get,
    hyper_clients::{connector, hyper_builder},
    with_timeout,
};
use auth_tower::{HyperClient, TowerTransport};
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::runtime;
use tower::ServiceExt;

const TLS: bool = true;
const PLAIN: bool = false;

#[derive(Clone, Copy)]
enum Client {
    /// The client of this crate.
    Ours,
    /// hyper-util's client, which ignores the mark.
    HyperUtil,
}

/// Returns an endpoint and a transport whose client speaks its protocol.
async fn peers(
    client: Client,
    fault: Fault,
    protocol: Protocol,
    tls: bool,
) -> (FailingConnections, Box<dyn HttpTransport>) {
    use_ring();
    let authority = Authority::new();
    let endpoint = FailingConnections::start(fault, protocol, tls.then_some(&authority)).await;
    let connector = connector(authority.client_config());
    let builder = hyper_builder(matches!(protocol, Protocol::Http2) && !tls);
    let transport: Box<dyn HttpTransport> = match client {
        Client::Ours => Box::new(TowerTransport::new(HyperClient::from_builder(
            &builder, connector,
        ))),
        Client::HyperUtil => Box::new(TowerTransport::new(builder.build(connector))),
    };
    (endpoint, transport)
}

/// Returns which of four token requests obtained a token, and the number of requests per connection.
async fn four(
    client: Client,
    fault: Fault,
    protocol: Protocol,
    tls: bool,
) -> (Vec<bool>, Vec<usize>) {
    let (endpoint, transport) = peers(client, fault, protocol, tls).await;
    let grant = endpoint.grant(Arc::<dyn HttpTransport>::from(transport));
    let outcomes = with_timeout(endpoint.attempts(&grant, 4)).await;
    (outcomes, endpoint.requests_per_connection())
}

async fn each_request_takes_a_connection_of_its_own(fault: Fault, protocol: Protocol, tls: bool) {
    let all_succeed = (vec![true; 4], vec![1; 4]);
    assert_eq!(four(Client::Ours, fault, protocol, tls).await, all_succeed);
}

#[tokio::test]
async fn kept_http2_connection_without_response() {
    for tls in [TLS, PLAIN] {
        each_request_takes_a_connection_of_its_own(Fault::NoResponse, Protocol::Http2, tls).await;
    }
}

#[tokio::test]
async fn kept_http2_connection_without_end_of_body() {
    for tls in [TLS, PLAIN] {
        each_request_takes_a_connection_of_its_own(Fault::NoEndOfBody, Protocol::Http2, tls).await;
    }
}

#[tokio::test]
async fn kept_http2_connection_that_refuses_streams() {
    for tls in [TLS, PLAIN] {
        each_request_takes_a_connection_of_its_own(Fault::StreamsRefused, Protocol::Http2, tls)
            .await;
    }
}

#[tokio::test]
async fn half_open_http1_connection() {
    for tls in [TLS, PLAIN] {
        each_request_takes_a_connection_of_its_own(Fault::NoResponse, Protocol::Http1, tls).await;
    }
}

#[tokio::test]
async fn connection_that_works_is_not_kept() {
    for (protocol, tls) in [(Protocol::Http2, TLS), (Protocol::Http1, PLAIN)] {
        each_request_takes_a_connection_of_its_own(Fault::None, protocol, tls).await;
    }
}

/// Nothing else ends a connection that works.
#[tokio::test]
async fn each_connection_is_closed_after_the_response() {
    for (protocol, tls) in [
        (Protocol::Http2, TLS),
        (Protocol::Http2, PLAIN),
        (Protocol::Http1, TLS),
        (Protocol::Http1, PLAIN),
    ] {
        let (endpoint, transport) = peers(Client::Ours, Fault::None, protocol, tls).await;
        let grant = endpoint.grant(Arc::<dyn HttpTransport>::from(transport));
        assert_eq!(endpoint.attempts(&grant, 3).await, [true; 3]);
        with_timeout(endpoint.ended(3)).await;
    }
}

/// The transport has hyper-util's client discard the connection of each token request.
#[tokio::test]
async fn clients_that_ignore_the_mark_keep_no_connection_of_a_token_request() {
    for fault in [
        Fault::NoResponse,
        Fault::NoEndOfBody,
        Fault::StreamsRefused,
        Fault::None,
    ] {
        for (protocol, tls) in [
            (Protocol::Http2, TLS),
            (Protocol::Http2, PLAIN),
            (Protocol::Http1, TLS),
            (Protocol::Http1, PLAIN),
        ] {
            let four = four(Client::HyperUtil, fault, protocol, tls).await;
            assert_eq!(four, (vec![true; 4], vec![1; 4]), "{fault:?} {protocol:?}");
        }
    }
}

/// A request to the API may leave a connection to the origin of the token endpoint.
#[tokio::test]
async fn clients_that_ignore_the_mark_fail_once_on_a_connection_of_another_request() {
    for fault in [Fault::NoResponse, Fault::NoEndOfBody, Fault::StreamsRefused] {
        for tls in [TLS, PLAIN] {
            use_ring();
            let authority = Authority::new();
            let tls_server = tls.then_some(&authority);
            let endpoint = FailingConnections::start(fault, Protocol::Http2, tls_server).await;
            let client = hyper_builder(!tls).build(connector(authority.client_config()));
            let grant = endpoint.grant(TowerTransport::new(client.clone()));
            let other = client
                .oneshot(get(endpoint.token_endpoint()))
                .await
                .unwrap();
            other.into_body().collect().await.unwrap();
            let outcomes = with_timeout(endpoint.attempts(&grant, 3)).await;
            assert_eq!(outcomes, [false, true, true], "{fault:?}");
            assert_eq!(endpoint.requests_per_connection(), [2, 1, 1], "{fault:?}");
        }
    }
}

#[tokio::test]
async fn requests_without_the_mark_share_kept_connections() {
    for (protocol, tls) in [
        (Protocol::Http2, TLS),
        (Protocol::Http2, PLAIN),
        (Protocol::Http1, PLAIN),
    ] {
        use_ring();
        let authority = Authority::new();
        let tls_server = tls.then_some(&authority);
        let endpoint = FailingConnections::start(Fault::None, protocol, tls_server).await;
        let builder = hyper_builder(matches!(protocol, Protocol::Http2) && !tls);
        let client = HyperClient::from_builder(&builder, connector(authority.client_config()));
        for _ in 0..4 {
            let response = client
                .clone()
                .oneshot(get(endpoint.token_endpoint()))
                .await
                .unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            response.into_body().collect().await.unwrap();
        }
        assert_eq!(endpoint.requests_per_connection(), [4]);
    }
}

fn current_thread() -> runtime::Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

fn fetches(runtime: &runtime::Runtime, grant: &ClientCredentials) -> bool {
    let request = TokenRequest::default();
    let fetch = async { with_timeout(grant.fetch(&request)).await };
    runtime.block_on(fetch).is_ok()
}

/// Returns an endpoint, and a grant that has made a request in a runtime that is no longer driven. The
/// tasks of a connection run in the runtime that opened it.
fn after_a_runtime_that_is_no_longer_driven(
    client: Client,
    protocol: Protocol,
    tls: bool,
) -> ([runtime::Runtime; 2], ClientCredentials) {
    let servers = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (endpoint, transport) = servers.block_on(peers(client, Fault::None, protocol, tls));
    let grant = endpoint.grant(Arc::<dyn HttpTransport>::from(transport));
    let kept = current_thread();
    assert!(fetches(&kept, &grant));
    ([servers, kept], grant)
}

#[test]
fn connection_of_a_runtime_that_is_no_longer_driven() {
    for client in [Client::Ours, Client::HyperUtil] {
        for (protocol, tls) in [
            (Protocol::Http2, TLS),
            (Protocol::Http2, PLAIN),
            (Protocol::Http1, TLS),
            (Protocol::Http1, PLAIN),
        ] {
            let (_kept, grant) = after_a_runtime_that_is_no_longer_driven(client, protocol, tls);
            let driven = current_thread();
            assert!(fetches(&driven, &grant) && fetches(&driven, &grant));
        }
    }
}
