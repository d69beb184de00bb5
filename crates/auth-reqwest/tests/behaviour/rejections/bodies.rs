//! Bodies of many sizes: they arrive unchanged, and are replayed where the documentation says so.

use std::io;

use auth_test_support::{
    Deployment,
    rejection::{assert_outcome, assert_received, content},
    reqwest_clients::reqwest_with,
};
use bytes::Bytes;
use futures_util::{Stream, stream};

const BOUND: usize = 64 * 1024;
const SIZES: [usize; 5] = [0, 1024, BOUND, BOUND + 1, 10 * 1024 * 1024];

/// Returns the body in chunks, so that its size is unknown.
fn chunks(content: &Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + use<> {
    let chunks = content.chunks(10_000).map(Bytes::copy_from_slice);
    stream::iter(chunks.map(Ok).collect::<Vec<_>>())
}

async fn by_reqwest(size: usize, body: impl Fn(Bytes) -> reqwest::Body, again: bool) {
    let deployment = Deployment::start().await;
    let authorizer = deployment.revoked().await;
    let content = content(size);
    let request = reqwest_with(authorizer.clone()).post(deployment.api.url());
    let response = request.body(body(content.clone())).send().await.unwrap();
    assert_received(&deployment, &content, again, false);
    assert_outcome(&authorizer, response.status(), again);
}

/// A clone of such a body shares its bytes. The replay limit therefore does not apply.
#[tokio::test]
async fn a_body_of_bytes_is_replayed() {
    for size in SIZES {
        by_reqwest(size, reqwest::Body::from, true).await;
    }
}

/// Reported elsewhere: reqwest-middleware#44.
#[tokio::test]
async fn a_stream_is_sent_once_and_does_not_fail() {
    for size in SIZES {
        let stream = |content| reqwest::Body::wrap_stream(chunks(&content));
        by_reqwest(size, stream, false).await;
    }
}
