//! Token requests that are in flight together over hyper-util's own client, which ignores the mark
//! `NewConnection`: none joins the connection of one that was sent before.

use std::sync::Arc;

use auth_core::{ClientCredentials, Error, TokenRequest, TokenSource};
use auth_test_support::{
    certificates::{Authority, use_ring},
    failing_connections::{FailingConnections, Fault, Protocol},
    hyper_clients::{connector, hyper_builder},
    with_timeout,
};
use auth_tower::TowerTransport;
use futures_util::future::join_all;
use tokio::{runtime, task::JoinHandle};
use tower::service_fn;

const TLS: bool = true;
const PLAIN: bool = false;

/// The protocols, and whether over TLS.
const CONNECTIONS: [(Protocol, bool); 4] = [
    (Protocol::Http2, TLS),
    (Protocol::Http2, PLAIN),
    (Protocol::Http1, TLS),
    (Protocol::Http1, PLAIN),
];

/// The service under the transport.
#[derive(Clone, Copy, Debug)]
enum Client {
    /// hyper-util's client.
    Direct,
    /// hyper-util's client, whose requests are sent in tasks of their own.
    Spawned,
}

/// A token endpoint that responds when it has received a number of requests, and a grant for it.
struct Peers {
    endpoint: FailingConnections,
    grant: Arc<ClientCredentials>,
}

impl Peers {
    async fn start(client: Client, responds_after: usize, protocol: Protocol, tls: bool) -> Self {
        use_ring();
        let authority = Authority::new();
        let (fault, tls_server) = (Fault::Held(responds_after), tls.then_some(&authority));
        let endpoint = FailingConnections::start(fault, protocol, tls_server).await;
        let builder = hyper_builder(matches!(protocol, Protocol::Http2) && !tls);
        let hyper = builder.build(connector(authority.client_config()));
        let grant = match client {
            Client::Direct => endpoint.grant(TowerTransport::new(hyper)),
            Client::Spawned => {
                let service = service_fn(move |request| {
                    let response = tokio::spawn(hyper.request(request));
                    async { response.await.expect("the task does not panic") }
                });
                endpoint.grant(TowerTransport::new(service))
            }
        };
        let grant = Arc::new(grant);
        Self { endpoint, grant }
    }

    /// Makes a token request in a task of its own.
    fn fetch(&self) -> JoinHandle<Result<(), Error>> {
        let grant = self.grant.clone();
        tokio::spawn(async move { grant.fetch(&TokenRequest::default()).await.map(drop) })
    }
}

#[tokio::test]
async fn a_token_request_does_not_join_the_connection_of_one_in_flight() {
    for client in [Client::Direct, Client::Spawned] {
        for (protocol, tls) in CONNECTIONS {
            let peers = Peers::start(client, 3, protocol, tls).await;
            let mut fetches = Vec::new();
            for received in 1..=3 {
                fetches.push(peers.fetch());
                with_timeout(peers.endpoint.received(received)).await;
            }
            for fetch in with_timeout(join_all(fetches)).await {
                fetch.unwrap().unwrap();
            }
            let requests = peers.endpoint.requests_per_connection();
            assert_eq!(requests, [1; 3], "{client:?} {protocol:?}, TLS: {tls}");
        }
    }
}

/// The tasks of a connection run in the runtime that opened it.
#[test]
fn a_token_request_in_flight_in_a_runtime_that_is_no_longer_driven_holds_up_no_other() {
    let mut servers = runtime::Builder::new_multi_thread();
    let servers = servers.worker_threads(1).enable_all().build().unwrap();
    for (protocol, tls) in CONNECTIONS {
        let peers = servers.block_on(Peers::start(Client::Direct, 2, protocol, tls));
        let (kept, driven) = (current_thread(), current_thread());
        kept.block_on(async {
            let _in_flight = peers.fetch();
            with_timeout(peers.endpoint.received(1)).await;
        });
        let fetch = driven.block_on(async { with_timeout(peers.fetch()).await });
        fetch.unwrap().unwrap();
        let requests = peers.endpoint.requests_per_connection();
        assert_eq!(requests, [1, 1], "{protocol:?}, TLS: {tls}");
    }
}

/// The first one opens a connection, for which the others wait.
#[tokio::test]
async fn token_requests_that_begin_together_take_connections_of_their_own() {
    for (protocol, tls) in CONNECTIONS {
        let peers = Peers::start(Client::Direct, 8, protocol, tls).await;
        let fetches: Vec<_> = (0..8).map(|_| peers.fetch()).collect();
        for fetch in with_timeout(join_all(fetches)).await {
            fetch.unwrap().unwrap();
        }
        let requests = peers.endpoint.requests_per_connection();
        assert_eq!(requests, [1; 8], "{protocol:?}, TLS: {tls}");
    }
}

/// The client gives up a request whose connection was discarded while the request waited for it: of 480
/// requests 35 failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_request_that_waits_for_the_connection_of_another_one_does_not_fail() {
    for _ in 0..30 {
        let peers = Peers::start(Client::Direct, 1, Protocol::Http2, TLS).await;
        let fetches: Vec<_> = (0..8).map(|_| peers.fetch()).collect();
        for fetch in with_timeout(join_all(fetches)).await {
            fetch.unwrap().unwrap();
        }
    }
}

fn current_thread() -> runtime::Runtime {
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}
