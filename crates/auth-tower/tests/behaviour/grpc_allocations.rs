//! The cost of a gRPC call whose token is cached: neither the layer nor the body of the response, which
//! reads the trailers, allocates.
//!
//! The calls run outside a runtime, so that they can neither spawn a task nor wait for a timer.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use allocation_counter::measure;
use auth_core::{Authorizer, TokenCache};
use auth_test_support::scripted::Scripted;
use auth_testing::ManualClock;
use auth_tower::{AuthLayer, NoReplay};
use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::runtime::Builder;
use tower::{Layer, Service, service_fn};
use tower_http::auth::AddAuthorizationLayer;

type ApiBody = StreamBody<stream::Iter<std::array::IntoIter<Result<Frame<Bytes>, Infallible>, 2>>>;

/// Responds with a message and trailers.
fn respond(_: Request<Full<Bytes>>) -> Ready<Result<Response<ApiBody>, Infallible>> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let message = Bytes::from_static(&[0; 5]);
    let frames = [Frame::data(message), Frame::trailers(trailers)].map(Ok);
    ready(Ok(Response::new(StreamBody::new(stream::iter(frames)))))
}

/// Returns the allocations of the second of two calls: of the call, and of reading its response.
fn allocations<S, B>(mut client: S) -> (u64, u64)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
    B: Body<Data = Bytes> + Unpin,
{
    let [_, second] = [(), ()].map(|()| {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = "/echo.Echo/Unary".parse().unwrap();
        let grpc = HeaderValue::from_static("application/grpc");
        request.headers_mut().insert(CONTENT_TYPE, grpc);
        let mut response = None;
        let call = measure(|| response = client.call(request).now_or_never());
        let Some(Ok(response)) = response else {
            panic!("expected a response at the first poll");
        };
        let mut body = response.into_body();
        let read = measure(|| {
            for _ in 0..2 {
                let frame = body.frame().now_or_never().unwrap().unwrap();
                assert!(frame.is_ok());
            }
            assert!(body.frame().now_or_never().unwrap().is_none());
        });
        (call.count_total, read.count_total)
    });
    second
}

#[test]
fn a_grpc_call_and_its_response_allocate_as_much_as_with_a_constant_header() {
    let tokens = TokenCache::builder(Scripted::expires_in(600)).clock(ManualClock::new());
    let tokens = tokens.build();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(tokens.token()).unwrap();
    let builder = Authorizer::builder(tokens).origin("https://api.example.com");
    let authorizer = builder.danger_trust_channel(true).build().unwrap();
    let plain = AddAuthorizationLayer::bearer("t1").layer(service_fn(respond));
    let ours = AuthLayer::new(authorizer)
        .replay(NoReplay)
        .layer(service_fn(respond));
    assert_eq!(allocations(ours), allocations(plain));
}
