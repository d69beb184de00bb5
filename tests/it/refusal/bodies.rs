//! Bodies of every size and kind: what arrives is what was sent, and it is sent again exactly where
//! that is promised.

use std::io;

use auth_core::{Authorizer, BoxError, TokenCache};
use auth_testing::ManualClock;
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use http::{Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use tower::{Layer, ServiceExt};

use super::reqwest_with;
use crate::{
    cache::source::Scripted,
    support::{Deployment, clients::hyper_client_of, soon},
};

const BOUND: usize = 64 * 1024;
const SIZES: [usize; 5] = [0, 1024, BOUND, BOUND + 1, 10 * 1024 * 1024];

/// No two neighbouring chunks are alike.
fn content(size: usize) -> Bytes {
    (0..size).map(|i| (i ^ (i >> 8)) as u8).collect()
}

/// The same in chunks, so that nobody knows its size.
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

/// The API refuses after it has read the body, or before. Then what it was shown of a first sending
/// may end early.
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
    arrived(&deployment, &content, size <= BOUND, early);
    outcome(&authorizer, status, size <= BOUND);
}

fn arrived(deployment: &Deployment, content: &Bytes, again: bool, early: bool) {
    let requests = deployment.api.requests();
    assert_eq!(requests.len(), 1 + usize::from(again), "{}", content.len());
    // compared without `assert_eq`: nobody wants to read 10 MiB
    for request in &requests {
        let is_first = again && std::ptr::eq(request, &requests[0]);
        let whole = request.body() == content;
        assert!(whole || early && (is_first || !again), "{}", content.len());
    }
}

fn outcome(authorizer: &Authorizer, status: StatusCode, again: bool) {
    let expected = if again {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    };
    assert_eq!(status, expected);
    assert_eq!(
        authorizer.tokens().unwrap().status().replays,
        u64::from(again)
    );
}

#[tokio::test]
async fn on_hyper_a_full_body() {
    for size in SIZES {
        by_hyper(size, Full::new, false).await;
    }
}

#[tokio::test]
async fn on_hyper_a_boxed_body_of_known_size() {
    for size in SIZES {
        by_hyper(size, |content| boxed(Full::new(content)), false).await;
    }
}

#[tokio::test]
async fn on_hyper_a_boxed_stream() {
    for size in SIZES {
        by_hyper(size, |content| chunked(&content), false).await;
    }
}

#[tokio::test]
async fn on_hyper_refused_before_the_body_is_read() {
    for size in [0, 1024, BOUND] {
        by_hyper(size, Full::new, true).await;
        by_hyper(size, |content| chunked(&content), true).await;
    }
}

/// A stream that is not boxed is a type that the layer does not know.
#[tokio::test]
async fn on_hyper_an_unknown_body_is_sent_once_and_whole() {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let content = content(1024);
    let body = StreamBody::new(chunks(&content).map_ok(Frame::data));
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client_of());
    let request = Request::post(deployment.api.url()).body(body).unwrap();
    let status = client.oneshot(request).await.unwrap().status();
    arrived(&deployment, &content, false, false);
    outcome(&authorizer, status, false);
}

/// It cannot be sent again, so its caller has nothing to wait for. The clock stands still: a renewal
/// that was waited for would never be over.
#[tokio::test]
async fn a_refusal_of_a_body_that_was_too_long_is_delivered_at_once() {
    let deployment = Deployment::start().await;
    let source = Scripted::lives(600);
    let tokens = TokenCache::builder(source.clone()).clock(ManualClock::new());
    let builder = Authorizer::builder(tokens.build()).origin(deployment.api.url());
    let authorizer = builder.build().unwrap();
    authorizer.tokens().unwrap().token().await.unwrap();
    let _held = source.clone().hold();
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client_of());
    let body = chunked(&content(BOUND + 1));
    let request = Request::post(deployment.api.url()).body(body).unwrap();
    let status = soon(client.oneshot(request)).await.unwrap().status();
    outcome(&authorizer, status, false);
    assert!(authorizer.tokens().unwrap().status().requesting);
}

async fn by_reqwest(size: usize, body: impl Fn(Bytes) -> reqwest::Body, again: bool) {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let content = content(size);
    let request = reqwest_with(authorizer.clone()).post(deployment.api.url());
    let response = request.body(body(content.clone())).send().await.unwrap();
    arrived(&deployment, &content, again, false);
    outcome(&authorizer, response.status(), again);
}

/// A clone of such a body is one more reference to its bytes: no bound.
#[tokio::test]
async fn on_reqwest_a_body_of_bytes_is_sent_again() {
    for size in SIZES {
        by_reqwest(size, reqwest::Body::from, true).await;
    }
}

#[tokio::test]
async fn reqwest_middleware_44_a_stream_is_sent_once_and_does_not_fail() {
    for size in SIZES {
        let stream = |content| reqwest::Body::wrap_stream(chunks(&content));
        by_reqwest(size, stream, false).await;
    }
}
