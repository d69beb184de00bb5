//! Bodies of many sizes and types: they arrive unchanged, and are replayed where the documentation says so.

use std::io;

use auth_core::{Authorizer, BoxError, TokenCache};
use auth_test_support::{
    Deployment,
    hyper_clients::hyper_client_of,
    rejection::{assert_outcome, assert_received, content},
    scripted::Scripted,
    secs, with_timeout,
};
use auth_testing::ManualClock;
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use http::Request;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use tower::{Layer, ServiceExt};

const BOUND: usize = 64 * 1024;
const SIZES: [usize; 5] = [0, 1024, BOUND, BOUND + 1, 10 * 1024 * 1024];

/// Returns the body in chunks, so that its size is unknown.
fn chunks(content: &Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + use<> {
    let chunks = content.chunks(10_000).map(Bytes::copy_from_slice);
    stream::iter(chunks.map(Ok).collect::<Vec<_>>())
}

fn boxed(
    body: impl Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + 'static,
) -> BoxBody<Bytes, BoxError> {
    body.map_err(Into::into).boxed()
}

fn chunked(content: &Bytes) -> BoxBody<Bytes, BoxError> {
    boxed(StreamBody::new(chunks(content).map_ok(Frame::data)))
}

/// The API rejects the token after it has read the body, or before. In the second case the body of the
/// first attempt may arrive incompletely.
async fn by_hyper<B>(size: usize, body: impl Fn(Bytes) -> B, early: bool)
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let deployment = Deployment::start().await;
    deployment.api.reject_early(early);
    let authorizer = deployment.revoked().await;
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client_of::<B>());
    let content = content(size);
    let request = Request::post(deployment.api.url());
    let request = request.body(body(content.clone())).unwrap();
    let status = client.oneshot(request).await.unwrap().status();
    assert_received(&deployment, &content, size <= BOUND, early);
    assert_outcome(&authorizer, status, size <= BOUND);
}

#[tokio::test]
async fn a_full_body() {
    for size in SIZES {
        by_hyper(size, Full::new, false).await;
    }
}

#[tokio::test]
async fn a_boxed_body_of_known_size() {
    for size in SIZES {
        by_hyper(size, |content| boxed(Full::new(content)), false).await;
    }
}

#[tokio::test]
async fn a_boxed_stream() {
    for size in SIZES {
        by_hyper(size, |content| chunked(&content), false).await;
    }
}

#[tokio::test]
async fn rejected_before_the_body_is_read() {
    for size in [0, 1024, BOUND] {
        by_hyper(size, Full::new, true).await;
        by_hyper(size, |content| chunked(&content), true).await;
    }
}

/// A stream that is not boxed is a body of unknown type.
#[tokio::test]
async fn a_body_of_unknown_type_is_sent_once_and_completely() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let content = content(1024);
    let body = StreamBody::new(chunks(&content).map_ok(Frame::data));
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client_of());
    let request = Request::post(deployment.api.url()).body(body).unwrap();
    let status = client.oneshot(request).await.unwrap().status();
    assert_received(&deployment, &content, false, false);
    assert_outcome(&authorizer, status, false);
}

/// The body cannot be replayed, so that the caller need not wait for the whole refresh, which never ends
/// here.
#[tokio::test]
async fn a_rejection_of_a_body_that_was_too_long_is_delivered_after_a_second_at_most() {
    let deployment = Deployment::start().await;
    let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
    let tokens = TokenCache::builder(source.clone()).clock(clock.clone());
    let builder = Authorizer::builder(tokens.build()).origin(deployment.api.url());
    let authorizer = builder.build().unwrap();
    authorizer.tokens().unwrap().token().await.unwrap();
    let _held = source.clone().hold();
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client_of());
    let body = chunked(&content(BOUND + 1));
    let request = Request::post(deployment.api.url()).body(body).unwrap();
    // the hold begins in the step that starts the refresh
    let a_second_later = async {
        while source.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(secs(1));
    };
    let exchange = async { tokio::join!(client.oneshot(request), a_second_later) };
    let (response, ()) = with_timeout(exchange).await;
    assert_outcome(&authorizer, response.unwrap().status(), false);
    assert!(authorizer.tokens().unwrap().status().in_flight);
}
