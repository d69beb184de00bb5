//! What the adapters add to a request that finds its token, in time and in allocations.
//!
//! The client below is a service that answers at once, so that nothing but the layers is measured.
//! Beside ours stand the cheapest thing that could work (the insertion of a cloned header) and
//! tower-http's layer for a header that never changes.

// a bench that cannot be set up has nothing better to do
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod support;

use std::{convert::Infallible, future::Ready, hint::black_box, time::Duration};

use allocation_counter::measure;
use async_trait::async_trait;
use auth_core::Authorizer;
use auth_reqwest::AuthMiddleware;
use auth_tower::{AuthLayer, Never};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Extensions, Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use support::{header, ready_cache, ready_now, token};
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_http::auth::AddAuthorizationLayer;

const API: &str = "https://api.example.com/orders";

fn authorizer() -> Authorizer {
    let builder = Authorizer::builder(ready_cache());
    builder.origin("https://api.example.com").build().unwrap()
}

type Body = Full<Bytes>;

/// Answers at once.
#[derive(Clone)]
struct Client;

impl Service<Request<Body>> for Client {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(
        &mut self,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        black_box(&request);
        std::future::ready(Ok(Response::new(())))
    }
}

fn request() -> Request<Body> {
    let mut request = Request::new(Body::new(Bytes::from_static(b"hello")));
    *request.uri_mut() = http::Uri::from_static(API);
    request
}

/// One request through `client`, which is ready.
fn one<S: Service<Request<Body>>>(client: &mut S) {
    let outcome = ready_now(client.call(request()));
    black_box(outcome.is_ok());
}

/// Prints how many allocations a request makes, once the token is there.
fn print_allocations(name: &str, mut request: impl FnMut()) {
    request();
    let count = measure(&mut request).count_total;
    println!("middleware/{name}: {count} allocations per request");
}

fn tower_layers(c: &mut Criterion) {
    let mut group = c.benchmark_group("middleware");
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    macro_rules! bench {
        ($name:literal, $client:expr) => {
            let mut client = $client;
            print_allocations($name, || one(&mut client));
            group.bench_function($name, |b| b.iter(|| one(&mut client)));
        };
    }
    bench!("tower_bare", Client);
    let value = header();
    bench!(
        "tower_insert_floor",
        service_fn(move |mut request: Request<Body>| {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
            Client.call(request)
        })
    );
    bench!(
        "tower_http_add_authorization",
        AddAuthorizationLayer::bearer(&token()).layer(Client)
    );
    let layer = AuthLayer::new(authorizer());
    bench!(
        "tower_auth_no_replay",
        layer.clone().replay(Never).layer(Client)
    );
    bench!(
        "tower_auth",
        ServiceBuilder::new().layer(layer).service(Client)
    );
    group.finish();
}

/// The end of a chain: answers at once.
struct Sink;

#[async_trait]
impl Middleware for Sink {
    async fn handle(
        &self,
        request: reqwest::Request,
        _extensions: &mut Extensions,
        _next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        black_box(&request);
        Ok(Response::new("").into())
    }
}

/// What any middleware costs.
struct Noop;

#[async_trait]
impl Middleware for Noop {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        next.run(request, extensions).await
    }
}

fn reqwest_middlewares(c: &mut Criterion) {
    // only because this workspace builds reqwest without a provider; it is not used
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let mut group = c.benchmark_group("middleware");
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    let url: reqwest::Url = API.parse().unwrap();
    let one = |client: &ClientWithMiddleware| {
        let request = reqwest::Request::new(reqwest::Method::GET, url.clone());
        black_box(ready_now(client.execute(request)).is_ok());
    };
    let chain = || ClientBuilder::new(client.clone());
    for (name, client) in [
        ("reqwest_bare", chain().with(Sink).build()),
        (
            "reqwest_noop_middleware",
            chain().with(Noop).with(Sink).build(),
        ),
        (
            "reqwest_auth",
            chain()
                .with(AuthMiddleware::new(authorizer()))
                .with(Sink)
                .build(),
        ),
    ] {
        print_allocations(name, || one(&client));
        group.bench_function(name, |b| b.iter(|| one(&client)));
    }
    group.finish();
}

criterion_group!(benches, tower_layers, reqwest_middlewares);
criterion_main!(benches);
