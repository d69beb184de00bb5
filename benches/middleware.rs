//! The time and the allocations that the adapters add to a request that finds its token.
//!
//! The inner client is a service that responds at once, so that only the layers are measured. They are
//! compared with the insertion of a cloned header, which is the cheapest solution, and with
//! tower-http's layer for a header that never changes.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{convert::Infallible, future::Ready, hint::black_box, time::Instant};

use allocation_counter::measure;
use async_trait::async_trait;
use auth_core::Authorizer;
use auth_reqwest::AuthMiddleware;
use auth_tower::{AuthLayer, NoReplay};
use bench_support::interleaved::{Interleaved, print_table, record_count};
use bench_support::{header, ready_cache, ready_now, token};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{
    Extensions, HeaderValue, Request, Response,
    header::{ACCEPT, AUTHORIZATION},
};
use http_body_util::Full;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tower::{Layer, Service, service_fn};
use tower_http::auth::AddAuthorizationLayer;

const API: &str = "https://api.example.com/orders";
const ROUNDS: usize = 100;
/// A batch takes 4 ms (a bare client) or more.
const REQUESTS: u64 = 40_000;

fn authorizer() -> Authorizer {
    let builder = Authorizer::builder(ready_cache());
    builder.origin("https://api.example.com").build().unwrap()
}

/// Measures requests, each round with a new sender from `make`, and prints the number of allocations of
/// a request that finds its token.
fn add<'a, F: FnMut()>(
    rounds: &mut Interleaved<'a>,
    name: &'static str,
    make: impl Fn() -> F + 'a,
) {
    let mut request = make();
    request();
    let count = measure(&mut request).count_total;
    println!("middleware/{name}: {count} allocations");
    rounds.function(name, REQUESTS, move |requests| {
        let mut request = make();
        request();
        let started = Instant::now();
        for _ in 0..requests {
            request();
        }
        started.elapsed()
    });
}

type Body = Full<Bytes>;

/// Responds at once.
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

/// Sends requests through `client`, which is ready.
fn through<S: Service<Request<Body>>>(mut client: S) -> impl FnMut() {
    move || {
        let outcome = ready_now(client.call(request()));
        black_box(outcome.is_ok());
    }
}

fn add_tower(rounds: &mut Interleaved<'_>) {
    add(rounds, "tower_bare", || through(Client));
    add(rounds, "tower_insert_floor", || {
        let value = header();
        through(service_fn(move |mut request: Request<Body>| {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
            Client.call(request)
        }))
    });
    add(rounds, "tower_http_add_authorization", || {
        through(AddAuthorizationLayer::bearer(&token()).layer(Client))
    });
    add(rounds, "tower_auth_no_replay", || {
        through(AuthLayer::new(authorizer()).replay(NoReplay).layer(Client))
    });
    add(rounds, "tower_auth", || {
        through(AuthLayer::new(authorizer()).layer(Client))
    });
    for name in ["tower_auth_no_replay", "tower_auth"] {
        let what = format!("added by {name} over added by tower_http_add_authorization");
        rounds.figure(what, move |round| {
            let added = |name| round.time(name) - round.time("tower_bare");
            added(name) / added("tower_http_add_authorization")
        });
    }
}

/// The end of a chain of middlewares: responds at once.
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

/// A middleware that does nothing.
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

/// Sends requests through `client`. They have a header already, as real ones do: the first header
/// allocates the map.
fn by_reqwest(client: ClientWithMiddleware) -> impl FnMut() {
    let url: reqwest::Url = API.parse().unwrap();
    move || {
        let mut request = reqwest::Request::new(reqwest::Method::GET, url.clone());
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json);
        black_box(ready_now(client.execute(request)).is_ok());
    }
}

fn add_reqwest<'a>(rounds: &mut Interleaved<'a>, client: &'a reqwest::Client) {
    let chain = || ClientBuilder::new(client.clone());
    add(rounds, "reqwest_bare", move || {
        by_reqwest(chain().with(Sink).build())
    });
    add(rounds, "reqwest_noop_middleware", move || {
        by_reqwest(chain().with(Noop).with(Sink).build())
    });
    add(rounds, "reqwest_auth", move || {
        let auth = AuthMiddleware::new(authorizer());
        by_reqwest(chain().with(auth).with(Sink).build())
    });
    rounds.figure("added by reqwest_auth over added by a no-op", |round| {
        let added = |name| round.time(name) - round.time("reqwest_bare");
        added("reqwest_auth") / added("reqwest_noop_middleware")
    });
}

/// Counts what the cache alone allocates on a hit.
fn count_allocations_of_reads() {
    let tokens = ready_cache();
    let cached = || drop(black_box(tokens.cached()));
    let awaited = || drop(black_box(ready_now(tokens.token())));
    cached();
    for (id, count) in [
        ("allocations_cached", measure(cached).count_total),
        ("allocations_token_await", measure(awaited).count_total),
    ] {
        println!("middleware/{id}: {count}");
        record_count("middleware", id, count as f64);
    }
}

fn middleware(c: &mut Criterion) {
    // reqwest is built without a crypto provider here and requires one, although none is used
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    count_allocations_of_reads();
    let mut rounds = Interleaved::new("middleware", ROUNDS);
    add_tower(&mut rounds);
    add_reqwest(&mut rounds, &client);
    let mut group = c.benchmark_group("middleware");
    rounds.run(&mut group);
    group.finish();
    print_table("middleware");
}

criterion_group!(benches, middleware);
criterion_main!(benches);
