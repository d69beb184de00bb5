//! What a request costs that finds its token: no allocation, no waiting, no task.
//!
//! Nothing here runs in a runtime once the token is there, so nothing can spawn or wait for a timer.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use allocation_counter::measure;
use async_trait::async_trait;
use auth_core::{
    Authorizer, ReplayMethods, TokenCache, TokenCaches, TokenRequest, adapter::Decision,
};
use auth_reqwest::AuthMiddleware;
use auth_testing::ManualClock;
use auth_tower::{AuthLayer, NoReplay};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Extensions, Request, Response, header::AUTHORIZATION};
use http_body_util::Full;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tokio::runtime::Builder;
use tower::{Layer, Service};
use tower_http::auth::AddAuthorizationLayer;

use crate::{
    cache::{secs, source::Scripted},
    support::clients::{get, reqwest_client},
};

const API: &str = "https://api.example.com/orders";

/// A cache whose token is there, and the runtime that fetched it.
fn warm(source: &Scripted, clock: &ManualClock) -> (TokenCache, tokio::runtime::Runtime) {
    let tokens = TokenCache::builder(source.clone())
        .clock(clock.clone())
        .build();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(tokens.token()).unwrap();
    (tokens, runtime)
}

fn authorizer(methods: ReplayMethods) -> Authorizer {
    let (tokens, _) = warm(&Scripted::lives(600), &ManualClock::new());
    let builder = Authorizer::builder(tokens).origin("https://api.example.com");
    builder.replay_methods(methods).build().unwrap()
}

fn allocations(job: impl FnOnce()) -> u64 {
    measure(job).count_total
}

/// What a hit allocates: as a plain call, and as a future that is ready when it is first polled.
fn of_a_hit(tokens: &TokenCache) -> (u64, u64) {
    let cached = allocations(|| assert!(tokens.cached().is_some()));
    let token = allocations(|| {
        let first_poll = tokens.token().now_or_never();
        assert!(first_poll.is_some_and(|outcome| outcome.is_ok()));
    });
    (cached, token)
}

#[test]
fn a_hit_allocates_nothing_and_is_ready_at_the_first_poll() {
    let (tokens, _) = warm(&Scripted::lives(600), &ManualClock::new());
    assert_eq!(of_a_hit(&tokens), (0, 0));
}

#[test]
fn another_thread_copies_the_token_once() {
    let (tokens, _) = warm(&Scripted::lives(600), &ManualClock::new());
    assert_eq!(of_a_hit(&tokens), (0, 0));
    let counts = std::thread::scope(|scope| {
        let reads = scope.spawn(|| (of_a_hit(&tokens).0, of_a_hit(&tokens)));
        reads.join().unwrap()
    });
    assert!(counts.0 > 0, "the counter counts");
    assert_eq!(counts.1, (0, 0));
}

#[test]
fn a_hit_on_a_due_token_allocates_nothing_while_its_renewal_is_under_way() {
    let source = Scripted::lives(600);
    let clock = ManualClock::new();
    let (tokens, runtime) = warm(&source, &clock);
    let source = source.hold();
    clock.advance(secs(490));
    runtime.block_on(async { assert!(tokens.cached().is_some()) });
    assert!(tokens.status().due && tokens.status().requesting);
    assert_eq!(of_a_hit(&tokens), (0, 0));
    assert!(source.requests() <= 2);
}

#[test]
fn a_hit_with_a_bound_token_request_allocates_nothing() {
    let (tokens, runtime) = warm(&Scripted::lives(600), &ManualClock::new());
    let tokens = TokenCaches::from(tokens);
    let scope = |scope| TokenRequest::builder().scope(scope).build().unwrap();
    let [bound, picked] = ["bound", "picked"].map(scope);
    let caches = [&bound, &picked].map(|request| tokens.cache(request));
    for cache in &caches {
        runtime.block_on(cache.token()).unwrap();
    }
    let authorizer = Authorizer::builder(tokens)
        .origin("https://other.example.com")
        .origin_with("https://api.example.com", bound)
        .build()
        .unwrap();
    let with_picked = |uri: &str| {
        let mut request = get(uri);
        request.extensions_mut().insert(picked.clone());
        request
    };
    for request in [
        get(API),
        get("https://API.example.com:443/orders"),
        get("https://other.example.com/"),
        with_picked(API),
        with_picked("https://other.example.com/"),
    ] {
        let count = allocations(|| {
            let decision = authorizer.authorize(&request);
            assert!(matches!(decision, Decision::Authorize(_)));
        });
        assert_eq!(count, 0, "{}", request.uri());
    }
}

/// Answers at once, and counts its calls that carried the token.
#[derive(Clone, Default)]
struct Client(Arc<AtomicUsize>);

impl Client {
    fn take(&self, headers: &http::HeaderMap) {
        let carried = headers.get(AUTHORIZATION);
        self.0.fetch_add(
            usize::from(carried.is_some_and(|value| value == "Bearer t1")),
            SeqCst,
        );
    }

    fn calls(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Service<Request<Full<Bytes>>> for Client {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        self.take(request.headers());
        ready(Ok(Response::new(())))
    }
}

#[test]
fn the_tower_layer_calls_the_client_inside_its_own_call() {
    let client = Client::default();
    let mut service = AuthLayer::new(authorizer(ReplayMethods::Any)).layer(client.clone());
    let response = service.call(get(API));
    assert_eq!(client.calls(), 1, "before there is a future to poll");
    assert!(response.now_or_never().is_some());
}

#[test]
fn the_tower_layer_allocates_what_a_header_that_never_changes_does() {
    let of = |mut service: Box<dyn FnMut(Request<Full<Bytes>>)>| {
        let requests = [get(API), get(API)];
        let [first, second] = requests.map(|request| allocations(|| service(request)));
        (first, second)
    };
    let mut plain = AddAuthorizationLayer::bearer("t1").layer(Client::default());
    let mut ours = AuthLayer::new(authorizer(ReplayMethods::Any))
        .replay(NoReplay)
        .layer(Client::default());
    let plain = of(Box::new(move |request| {
        assert!(plain.call(request).now_or_never().is_some());
    }));
    let ours = of(Box::new(move |request| {
        assert!(ours.call(request).now_or_never().is_some());
    }));
    assert!(plain.1 > 0, "a header map grows");
    assert_eq!(ours.1, plain.1);
}

#[async_trait]
impl Middleware for Client {
    async fn handle(
        &self,
        request: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        self.take(request.headers());
        Ok(Response::new("").into())
    }
}

/// What any middleware costs that sets a header.
struct Plain;

#[async_trait]
impl Middleware for Plain {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let value = http::HeaderValue::from_static("Bearer t1");
        request.headers_mut().insert(AUTHORIZATION, value);
        next.run(request, extensions).await
    }
}

/// A chain of one middleware, and the client at its end.
fn chain(middleware: impl Middleware) -> (ClientWithMiddleware, Client) {
    let end = Client::default();
    let chain = ClientBuilder::new(reqwest_client())
        .with(middleware)
        .with(end.clone());
    (chain.build(), end)
}

/// What a request allocates that is over at its first poll.
fn of_a_request((client, end): &(ClientWithMiddleware, Client)) -> u64 {
    let calls = end.calls();
    let request = reqwest::Request::new(reqwest::Method::GET, API.parse().unwrap());
    let count = allocations(|| assert!(client.execute(request).now_or_never().is_some()));
    assert_eq!(end.calls(), calls + 1, "with the token, in the first poll");
    count
}

#[test]
fn the_reqwest_middleware_is_through_at_the_first_poll_and_allocates_what_any_other_does() {
    let request = reqwest::Request::new(reqwest::Method::GET, API.parse().unwrap());
    let url = allocations(|| drop(request.url().clone()));
    let copy = allocations(|| drop(request.try_clone()));
    let chains = [
        chain(Plain),
        chain(AuthMiddleware::new(authorizer(ReplayMethods::None))),
        chain(AuthMiddleware::new(authorizer(ReplayMethods::Any))),
    ];
    let [plain, once, twice] = chains.map(|chain| (of_a_request(&chain), of_a_request(&chain)).1);
    assert_eq!(once, plain + url, "to see who answers");
    assert_eq!(twice, plain + copy);
}
