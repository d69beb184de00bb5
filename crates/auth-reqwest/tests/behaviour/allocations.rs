//! The cost of a request whose token is cached: no allocation by the middleware itself, no wait and no task.
//!
//! The requests run outside a runtime, so that they can neither spawn a task nor wait for a timer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use allocation_counter::measure;
use async_trait::async_trait;
use auth_core::ReplayMethods;
use auth_reqwest::AuthMiddleware;
use auth_test_support::{
    cached_token::{API, Carried, authorizer},
    reqwest_clients::reqwest_client,
};
use futures_util::{FutureExt, future::BoxFuture};
use http::{Extensions, Response, header::AUTHORIZATION};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

fn allocations(job: impl FnOnce()) -> u64 {
    measure(job).count_total
}

/// Responds at once, and counts the requests that carried the token.
#[derive(Clone, Default)]
struct Client(Carried);

#[async_trait]
impl Middleware for Client {
    async fn handle(
        &self,
        request: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        self.0.count(request.headers());
        Ok(Response::new("").into())
    }
}

/// A middleware that only sets a header, for comparison.
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

/// A client with one middleware.
fn chain(middleware: impl Middleware) -> (ClientWithMiddleware, Client) {
    let end = Client::default();
    let chain = ClientBuilder::new(reqwest_client())
        .with(middleware)
        .with(end.clone());
    (chain.build(), end)
}

/// Returns the allocations of a request that completes at its first poll.
fn of_a_request((client, end): &(ClientWithMiddleware, Client)) -> u64 {
    let calls = end.0.requests();
    let request = reqwest::Request::new(reqwest::Method::GET, API.parse().unwrap());
    let count = allocations(|| assert!(client.execute(request).now_or_never().is_some()));
    assert_eq!(
        end.0.requests(),
        calls + 1,
        "the request is sent with the token in the first poll"
    );
    count
}

#[test]
fn the_middleware_completes_at_the_first_poll_and_allocates_as_much_as_any_other() {
    let request = reqwest::Request::new(reqwest::Method::GET, API.parse().unwrap());
    let url = allocations(|| drop(request.url().clone()));
    let copy = allocations(|| drop(request.try_clone()));
    let chains = [
        chain(Plain),
        chain(AuthMiddleware::new(authorizer(ReplayMethods::None))),
        chain(AuthMiddleware::new(authorizer(ReplayMethods::Any))),
    ];
    let [plain, once, twice] = chains.map(|chain| (of_a_request(&chain), of_a_request(&chain)).1);
    assert_eq!(once, plain + url, "the URL is cloned to detect redirects");
    assert_eq!(twice, plain + copy);
}

/// Measures the future of the middleware within.
struct FutureSize(AuthMiddleware, Arc<AtomicUsize>);

impl Middleware for FutureSize {
    fn handle<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        request: reqwest::Request,
        extensions: &'life1 mut Extensions,
        next: Next<'life2>,
    ) -> BoxFuture<'async_trait, reqwest_middleware::Result<reqwest::Response>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        let future = self.0.handle(request, extensions, next);
        self.1.store(size_of_val(&*future), SeqCst);
        future
    }
}

/// glibc keeps freed memory of up to 1,032 bytes for each thread.
#[test]
fn the_future_of_a_request_is_smaller_than_a_kibibyte() {
    let size = Arc::new(AtomicUsize::new(0));
    let middleware = AuthMiddleware::new(authorizer(ReplayMethods::Any));
    of_a_request(&chain(FutureSize(middleware, size.clone())));
    let size = size.load(SeqCst);
    assert!((1..1024).contains(&size), "{size} bytes");
}
