//! Requests while the authorization server's kept HTTP/2 connections no longer answer.

use std::{sync::Arc, time::Duration};

use auth_core::{HttpTransport, TokenCache};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{
    certificates::Authority,
    failing_connections::{FailingConnections, Fault, Protocol},
    hyper_clients::{connector, hyper_builder},
    reqwest_clients::reqwest_builder,
};
use auth_tower::{HyperClient, TowerTransport};
use reqwest::Certificate;
use tokio::{task::JoinSet, time::interval};

const LENGTH: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(20);
/// In seconds.
const LIFETIME: u64 = 5;

/// Reads a token every 20 ms for a minute. Returns the number of reads that failed, of all reads, and of
/// connections.
async fn failures(transport: Arc<dyn HttpTransport>, endpoint: FailingConnections) -> [usize; 3] {
    let tokens = TokenCache::new(endpoint.grant(transport));
    let (mut reads, mut ticks) = (JoinSet::new(), interval(INTERVAL));
    for _ in 0..LENGTH.as_millis() / INTERVAL.as_millis() {
        ticks.tick().await;
        let tokens = tokens.clone();
        reads.spawn(async move { tokens.token().await.is_ok() });
    }
    let outcomes = reads.join_all().await;
    let failed = outcomes.iter().filter(|succeeded| !**succeeded).count();
    [
        failed,
        outcomes.len(),
        endpoint.requests_per_connection().len(),
    ]
}

/// Prints the figures:
///
/// `cargo test --test it token_connections -- --ignored --nocapture`
#[tokio::test]
#[ignore = "takes a minute of real time"]
async fn no_request_fails_while_kept_connections_do_not_answer() {
    let authority = Authority::new();
    let start = || {
        let tls = Some(&authority);
        FailingConnections::issuing(LIFETIME, Fault::NoResponse, Protocol::Http2, tls)
    };
    let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let (builder, connector) = (hyper_builder(false), connector(authority.client_config()));
    let reqwest = ReqwestTransport::new(reqwest_builder().tls_certs_only([root])).unwrap();
    let hyper = TowerTransport::new(HyperClient::from_builder(&builder, connector.clone()));
    let hyper_util = TowerTransport::new(builder.build(connector));
    let (reqwest, hyper, hyper_util) = tokio::join!(
        failures(Arc::new(reqwest), start().await),
        failures(Arc::new(hyper), start().await),
        failures(Arc::new(hyper_util), start().await),
    );
    for (client, [failed, all, connections]) in [
        ("ReqwestTransport", reqwest),
        ("HyperClient", hyper),
        ("hyper-util's Client, which ignores the mark", hyper_util),
    ] {
        println!("{client}: {failed} of {all} requests failed, {connections} connections");
    }
    assert_eq!((reqwest[0], hyper[0]), (0, 0));
}
