//! Requests of hyper's client to a server on loopback, with and without the layer.
//!
//! With the layer a request is 900 bytes longer, and these are sent and parsed. A third function sets
//! the same header by hand, which distinguishes the cost of the layer from that of the header. Client
//! and server share a runtime with two workers.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    fmt::Debug,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use auth_core::{Authorizer, TokenCache};
use auth_tower::AuthLayer;
use bench_support::interleaved::{Interleaved, Iterations, print_table};
use bench_support::{header, ready_cache, threads::runtime};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::{Request, Response, header::AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{sync::Barrier, task::JoinSet};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

const WORKERS: usize = 2;
const ROUNDS: usize = 300;
/// Each task has a connection of its own.
const IN_FLIGHT: u64 = 32;
/// A batch takes a tenth of a second.
const REQUESTS: u64 = 100 * IN_FLIGHT;

type Body = Full<Bytes>;
type Hyper = Client<HttpConnector, Body>;

/// Measures requests through the client that `wrap` makes of a new one, to a new server, with a cached
/// token.
fn requests<S, R>(count: u64, wrap: impl FnOnce(Hyper, SocketAddr, TokenCache) -> S) -> Duration
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Debug + Send,
    S::Future: Send,
    R: http_body::Body<Data = Bytes, Error: Debug> + Send,
{
    let tokens = ready_cache();
    runtime(WORKERS).block_on(async {
        let server = bench_support::server::start().await;
        let hyper = Client::builder(TokioExecutor::new()).build_http();
        let client = wrap(hyper, server, tokens);
        all_at_once(count / IN_FLIGHT, client, server).await
    })
}

/// Returns the time until each of the tasks has sent its requests, after a first request of each that
/// opens a connection.
async fn all_at_once<S, R>(each: u64, client: S, server: SocketAddr) -> Duration
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Debug + Send,
    S::Future: Send,
    R: http_body::Body<Data = Bytes, Error: Debug> + Send,
{
    let connected = Arc::new(Barrier::new(IN_FLIGHT as usize + 1));
    let mut tasks = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (client, connected) = (client.clone(), Arc::clone(&connected));
        tasks.spawn(async move {
            one(client.clone(), server).await;
            connected.wait().await;
            for _ in 0..each {
                one(client.clone(), server).await;
            }
        });
    }
    connected.wait().await;
    let started = Instant::now();
    tasks.join_all().await;
    started.elapsed()
}

async fn one<S, R>(client: S, server: SocketAddr)
where
    S: Service<Request<Body>, Response = Response<R>>,
    S::Error: Debug,
    R: http_body::Body<Data = Bytes, Error: Debug>,
{
    let request = Request::get(format!("http://{server}/orders"));
    let request = request.body(Body::default()).unwrap();
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.unwrap();
}

fn hyper_bare(count: u64) -> Duration {
    requests(count, |hyper, _, _| hyper)
}

fn hyper_static_header(count: u64) -> Duration {
    requests(count, |hyper, _, _| {
        let value = header();
        ServiceBuilder::new()
            .map_request(move |mut request: Request<Body>| {
                request.headers_mut().insert(AUTHORIZATION, value.clone());
                request
            })
            .service(hyper)
    })
}

fn hyper_auth(count: u64) -> Duration {
    requests(count, |hyper, server, tokens| {
        let builder = Authorizer::builder(tokens).origin(format!("http://{server}"));
        AuthLayer::new(builder.build().unwrap()).layer(hyper)
    })
}

fn loopback(c: &mut Criterion) {
    let mut rounds = Interleaved::new("loopback", ROUNDS);
    let requests = Iterations::of(REQUESTS).on(WORKERS);
    rounds.function("hyper_bare", requests, hyper_bare);
    rounds.function("hyper_static_header", requests, hyper_static_header);
    rounds.function("hyper_auth", requests, hyper_auth);
    for other in ["hyper_bare", "hyper_static_header"] {
        rounds.figure(
            format!("throughput of hyper_auth over {other}"),
            move |round| round.time(other) / round.time("hyper_auth"),
        );
    }
    let mut group = c.benchmark_group("loopback");
    group.throughput(Throughput::Elements(1));
    rounds.run(&mut group);
    group.finish();
    print_table("loopback");
}

criterion_group!(benches, loopback);
criterion_main!(benches);
