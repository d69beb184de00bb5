//! Assertions about rejections for every stack, by the requests that the API and the authorization server
//! received.

use auth_core::{Authorizer, ReplayMethods};
use auth_testing::Answer;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{AUTHORIZATION, ETAG},
};
use tokio::task::JoinHandle;

use crate::{Deployment, with_timeout};

/// Returns the headers without the token.
fn without_token(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(AUTHORIZATION);
    headers
}

/// Asserts that the API received two requests that differ only in their tokens, and that the second token is
/// valid.
pub fn assert_replayed(deployment: &Deployment, authorizer: &Authorizer) {
    let requests = deployment.api.requests();
    let [first, second] = &requests[..] else {
        panic!("expected two requests, got {}", requests.len());
    };
    assert_eq!(second.method(), first.method());
    assert_eq!(second.uri(), first.uri());
    assert_eq!(second.version(), first.version());
    assert_eq!(
        without_token(second.headers()),
        without_token(first.headers())
    );
    let tokens = [first, second].map(|request| {
        let mut values = request.headers().get_all(AUTHORIZATION).iter();
        let value = values.next().unwrap().to_str().unwrap();
        assert!(values.next().is_none(), "more than one token in a request");
        value.strip_prefix("Bearer ").unwrap()
    });
    assert_ne!(tokens[0], tokens[1]);
    assert!(deployment.authorization.is_active(tokens[1]));
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 1);
}

/// Asserts that each request had this body.
pub fn assert_bodies(deployment: &Deployment, body: &str) {
    for request in deployment.api.requests() {
        assert_eq!(request.body(), body);
    }
}

/// Returns a body of this size, in which adjacent chunks differ.
pub fn content(size: usize) -> Bytes {
    (0..size).map(|i| (i ^ (i >> 8)) as u8).collect()
}

/// Asserts that each request had the complete body, and that there were two requests if it was sent `again`.
/// If `early` is set, the body of the first request may be incomplete.
pub fn assert_received(deployment: &Deployment, content: &Bytes, again: bool, early: bool) {
    let requests = deployment.api.requests();
    assert_eq!(requests.len(), 1 + usize::from(again), "{}", content.len());
    // compared without `assert_eq`, which would print up to 10 MiB
    for request in &requests {
        let is_first = again && std::ptr::eq(request, &requests[0]);
        let whole = request.body() == content;
        assert!(whole || early && (is_first || !again), "{}", content.len());
    }
}

/// Asserts that the caller received 200 if the request was sent `again`, and otherwise the rejection.
pub fn assert_outcome(authorizer: &Authorizer, status: StatusCode, again: bool) {
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

/// The number of concurrent requests of [`assert_one_token_request`].
pub const CROWD: usize = 1000;

/// Asserts that [`CROWD`] rejections of one token make one token request. The API receives all requests with
/// the same token before it rejects the first.
pub async fn assert_one_token_request(
    deployment: &Deployment,
    authorizer: &Authorizer,
    send: impl Fn() -> JoinHandle<StatusCode>,
) {
    assert_eq!(send().await.unwrap(), StatusCode::OK);
    deployment.api.hold();
    let calls: Vec<_> = (0..CROWD).map(|_| send()).collect();
    with_timeout(deployment.api.until_requests(1 + CROWD)).await;
    deployment.authorization.revoke_all();
    deployment.api.release();
    for call in calls {
        assert_eq!(call.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(deployment.api.request_count(), 1 + 2 * CROWD);
    assert_eq!(authorizer.tokens().unwrap().status().replays, CROWD as u64);
}

/// The body of [`rejected`].
pub const REASON: &str = "this token was revoked";

/// Returns a rejection: a 401 with an `ETag` and [`REASON`] as its body.
pub fn rejected() -> Answer {
    Answer::status(StatusCode::UNAUTHORIZED)
        .with_header(ETAG, HeaderValue::from_static("\"original\""))
        .with_body(REASON)
}

/// Returns a deployment whose API rejects the first request with `rejection`, and whose authorization server
/// is then down.
pub async fn refresh_fails_after(rejection: Answer) -> (Deployment, Authorizer) {
    let deployment = Deployment::start().await;
    let authorizer = deployment.authorizer();
    authorizer.tokens().unwrap().token().await.unwrap();
    deployment.api.fail_next(1, rejection);
    let down = Answer::status(StatusCode::SERVICE_UNAVAILABLE);
    deployment.authorization.fail_all(down);
    (deployment, authorizer)
}

/// Asserts that the API received one request, and that the rejected token stays the cached one.
pub fn assert_rejected_token_stays(deployment: &Deployment, authorizer: &Authorizer) {
    assert_eq!(deployment.api.request_count(), 1);
    assert_eq!(deployment.authorization.token_requests(), 2);
    let status = authorizer.tokens().unwrap().status();
    assert_eq!((status.replays, status.consecutive_failures), (0, 1));
    let current = authorizer.tokens().unwrap().cached().unwrap();
    assert_eq!(current.generation(), 1);
}

/// Returns an authorizer that replays these methods, and whose cached token has been revoked.
pub async fn revoked_with(deployment: &Deployment, methods: ReplayMethods) -> Authorizer {
    let builder = deployment.builder().origin(deployment.api.url());
    let authorizer = builder.replay_methods(methods).build().unwrap();
    deployment.revoke(&authorizer).await;
    authorizer
}

/// Asserts that the request was sent once, and that a new token was requested for the next one.
pub async fn assert_refreshed_without_replay(deployment: &Deployment, authorizer: &Authorizer) {
    assert_eq!(deployment.api.request_count(), 1);
    with_timeout(deployment.authorization.until_token_requests(2)).await;
    assert_eq!(deployment.authorization.token_requests(), 2);
    assert_eq!(authorizer.tokens().unwrap().status().replays, 0);
}
