//! The time that a layer or a middleware adds to a request that finds its token.
//!
//! The inner client responds at once. Each library is compared with the same client without it, because the
//! clients differ. `middle` wraps reqwest's client, which cannot be replaced: its time is that of building a
//! request.

#![forbid(unsafe_code)]
// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use auth_core::Authorizer;
use auth_reqwest::AuthMiddleware;
use auth_tower::{AuthLayer, NoReplay};
use bench_support::{
    interleaved::{Interleaved, Iterations},
    ready_cache, ready_now,
};
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{
    Extensions, HeaderValue, Request, Response, Uri,
    header::{ACCEPT, AUTHORIZATION},
};
use http_body_util::Full;
use peers::libraries::{
    Library, aliri_tokens::AliriTokens, azure_core::AzureCore, middle::Middle,
    rwlock_by_hand::RwLockByHand,
};
use rustls::crypto::ring;
use tokio::runtime::Builder;
use tower::{Layer, Service, service_fn};

const GROUP: &str = "peers_layer";
const API: &str = "https://api.example.com/orders";
const ROUNDS: usize = 60;
const BATCH: Duration = Duration::from_millis(8);

/// Measures requests, each round with a new sender from `make`.
fn add<'a, F: FnMut()>(
    rounds: &mut Interleaved<'a>,
    name: &'static str,
    make: impl Fn() -> F + 'a,
) {
    rounds.function(name, Iterations::lasting(BATCH), move |requests| {
        let mut request = make();
        request();
        let started = Instant::now();
        for _ in 0..requests {
            request();
        }
        started.elapsed()
    });
}

/// Prints what `with` adds to `without`.
fn added(rounds: &mut Interleaved<'_>, with: &'static str, without: &'static str) {
    rounds.figure(format!("nanoseconds that {with} adds"), |round| {
        round.time(with) - round.time(without)
    });
}

/// Obtains the token of a library.
fn warm<L: Library>() -> L {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(L::ready())
}

fn authorizer() -> Authorizer {
    let builder = Authorizer::builder(ready_cache());
    builder.origin("https://api.example.com").build().unwrap()
}

type Body = Full<Bytes>;

/// Responds at once.
#[derive(Clone)]
struct Client;

impl Service<Request<Body>> for Client {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        black_box(&request);
        ready(Ok(Response::new(())))
    }
}

/// Sends requests through `client`, which is ready.
fn through<S: Service<Request<Body>>>(mut client: S) -> impl FnMut() {
    move || {
        let mut request = Request::new(Body::new(Bytes::from_static(b"hello")));
        *request.uri_mut() = Uri::from_static(API);
        black_box(ready_now(client.call(request)).is_ok());
    }
}

fn add_tower(rounds: &mut Interleaved<'_>) {
    add(rounds, "tower_bare", || through(Client));
    add(rounds, "auth_tower", || {
        let layer = AuthLayer::new(authorizer()).replay(NoReplay);
        through(layer.layer(Client))
    });
    add(rounds, "auth_tower_with_replay", || {
        through(AuthLayer::new(authorizer()).layer(Client))
    });
    add(rounds, "rwlock_by_hand", || {
        let cache = warm::<RwLockByHand>();
        through(service_fn(move |mut request: Request<Body>| {
            let header = cache.reader()();
            request.headers_mut().insert(AUTHORIZATION, header);
            Client.call(request)
        }))
    });
    added(rounds, "auth_tower", "tower_bare");
    added(rounds, "auth_tower_with_replay", "tower_bare");
    added(rounds, "rwlock_by_hand", "tower_bare");
}

/// A middleware that responds at once.
struct Sink;

#[async_trait]
impl reqwest_middleware::Middleware for Sink {
    async fn handle(
        &self,
        request: reqwest::Request,
        _extensions: &mut Extensions,
        _next: reqwest_middleware::Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        black_box(&request);
        Ok(Response::new("").into())
    }
}

#[async_trait]
impl reqwest_middleware_0_4::Middleware for Sink {
    async fn handle(
        &self,
        request: reqwest_0_12::Request,
        _extensions: &mut Extensions,
        _next: reqwest_middleware_0_4::Next<'_>,
    ) -> reqwest_middleware_0_4::Result<reqwest_0_12::Response> {
        black_box(&request);
        Ok(Response::new("").into())
    }
}

/// Sends requests through `client`. They have a header already, as real ones do: the first header
/// allocates the map.
fn by_reqwest(client: reqwest_middleware::ClientWithMiddleware) -> impl FnMut() {
    let url: url::Url = API.parse().unwrap();
    move || {
        let mut request = reqwest::Request::new(reqwest::Method::GET, url.clone());
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json);
        black_box(ready_now(client.execute(request)).is_ok());
    }
}

fn add_reqwest<'a>(rounds: &mut Interleaved<'a>, client: &'a reqwest::Client) {
    let chain = || reqwest_middleware::ClientBuilder::new(client.clone());
    add(rounds, "reqwest_bare", move || {
        by_reqwest(chain().with(Sink).build())
    });
    add(rounds, "auth_reqwest", move || {
        let auth = AuthMiddleware::new(authorizer());
        by_reqwest(chain().with(auth).with(Sink).build())
    });
    added(rounds, "auth_reqwest", "reqwest_bare");
}

/// The same with the versions that `aliri_reqwest` requires.
fn by_reqwest_0_12(client: reqwest_middleware_0_4::ClientWithMiddleware) -> impl FnMut() {
    let url: url::Url = API.parse().unwrap();
    move || {
        let mut request = reqwest_0_12::Request::new(reqwest_0_12::Method::GET, url.clone());
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(ACCEPT, json);
        black_box(ready_now(client.execute(request)).is_ok());
    }
}

fn add_reqwest_0_12<'a>(rounds: &mut Interleaved<'a>, client: &'a reqwest_0_12::Client) {
    let chain = || reqwest_middleware_0_4::ClientBuilder::new(client.clone());
    add(rounds, "reqwest_0_12_bare", move || {
        by_reqwest_0_12(chain().with(Sink).build())
    });
    add(rounds, "aliri_reqwest", move || {
        let watcher = warm::<AliriTokens>().watcher();
        let auth = aliri_reqwest::AccessTokenMiddleware::new(watcher);
        by_reqwest_0_12(chain().with(auth).with(Sink).build())
    });
    add(rounds, "reqwest_0_12_request", move || {
        let client = client.clone();
        move || {
            let request = client.request(reqwest_0_12::Method::GET, API);
            black_box(request.header(ACCEPT, "application/json").build().is_ok());
        }
    });
    add(rounds, "middle", move || {
        let authorizer = warm::<Middle>().authorizer();
        let client = middle::HttpClient::new(authorizer).set_client(client.clone());
        move || {
            let request = client.request(reqwest_0_12::Method::GET, API).unwrap();
            black_box(request.header(ACCEPT, "application/json").build().is_ok());
        }
    });
    added(rounds, "aliri_reqwest", "reqwest_0_12_bare");
    added(rounds, "middle", "reqwest_0_12_request");
}

fn add_azure(rounds: &mut Interleaved<'_>) {
    add(rounds, "azure_core_bare", || {
        let mut send = warm::<AzureCore>().bare();
        move || drop(black_box(send()))
    });
    add(rounds, "azure_core", || {
        let azure = warm::<AzureCore>();
        let mut send = azure.into_reader();
        move || drop(black_box(send()))
    });
    added(rounds, "azure_core", "azure_core_bare");
}

fn layer(c: &mut Criterion) {
    // reqwest is built without a crypto provider here and requires one, although none is used
    let _ = ring::default_provider().install_default();
    let (client, older_client) = (reqwest::Client::new(), reqwest_0_12::Client::new());
    let mut rounds = Interleaved::new(GROUP, ROUNDS);
    add_tower(&mut rounds);
    add_reqwest(&mut rounds, &client);
    add_reqwest_0_12(&mut rounds, &older_client);
    add_azure(&mut rounds);
    let mut group = c.benchmark_group(GROUP);
    rounds.run(&mut group);
    group.finish();
}

criterion_group!(benches, layer);
criterion_main!(benches);
