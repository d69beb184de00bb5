//! The cost of a request whose token is cached: no allocation by the layer itself, no wait and no task.
//!
//! The requests run outside a runtime, so that they can neither spawn a task nor wait for a timer.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use allocation_counter::measure;
use auth_core::ReplayMethods;
use auth_test_support::{
    cached_token::{API, Carried, authorizer},
    get,
};
use auth_tower::{AuthLayer, NoReplay};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_http::auth::AddAuthorizationLayer;

fn allocations(job: impl FnOnce()) -> u64 {
    measure(job).count_total
}

/// Responds at once, and counts the requests that carried the token.
#[derive(Clone, Default)]
struct Client(Carried);

impl Service<Request<Full<Bytes>>> for Client {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        self.0.count(request.headers());
        ready(Ok(Response::new(())))
    }
}

#[test]
fn the_layer_calls_the_client_inside_its_own_call() {
    let client = Client::default();
    let mut service = AuthLayer::new(authorizer(ReplayMethods::Any)).layer(client.clone());
    let response = service.call(get(API));
    assert_eq!(client.0.requests(), 1, "the call itself sends the request");
    assert!(response.now_or_never().is_some());
}

#[test]
fn the_layer_allocates_as_much_as_a_constant_header() {
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

/// The check of a redirect needs the origin that sent it. The request is examined once, and its
/// authority is shared with the URI.
#[test]
fn a_request_to_an_unlisted_origin_costs_no_allocation() {
    let client = Client::default();
    let mut service = AuthLayer::new(authorizer(ReplayMethods::Any)).layer(client.clone());
    let [first, second] = ["https://unlisted.example/a"; 2].map(|uri| {
        let request = get(uri);
        allocations(|| assert!(service.call(request).now_or_never().is_some()))
    });
    assert!(first >= second, "the first one is logged");
    assert_eq!(second, 0);
    assert_eq!(client.0.requests(), 0, "no request carries the token");
}
