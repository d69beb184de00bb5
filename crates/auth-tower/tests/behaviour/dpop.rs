//! Tokens that are bound to a key (RFC 9449), on hyper and tonic.

use std::io;

use auth_core::{Error, ErrorKind};
use auth_test_support::{
    Deployment, ReadableProver, get,
    hyper_clients::{hyper_client, hyper_client_of},
};
use auth_testing::{Answer, EchoClient};
use auth_tower::{Auth, AuthLayer, ProofGuardLayer};
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use http::{
    HeaderName, HeaderValue, Request, StatusCode,
    header::{LOCATION, WWW_AUTHENTICATE},
};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use tonic::transport::{Channel, Endpoint};
use tower::{Layer, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

fn layer(deployment: &Deployment) -> AuthLayer {
    AuthLayer::new(deployment.bound_authorizer(ReadableProver::local()))
}

fn post(url: String, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(url).body(Full::from(body)).unwrap()
}

/// Returns the nonces of all proofs that the API has received.
fn nonces(deployment: &Deployment) -> Vec<Option<String>> {
    let proofs = deployment.proofs().into_iter();
    proofs.map(|proof| proof.nonce).collect()
}

fn demand(nonce: &'static str) -> Answer {
    let challenge = HeaderValue::from_static("DPoP error=\"use_dpop_nonce\"");
    let nonce = HeaderValue::from_static(nonce);
    Answer::status(StatusCode::UNAUTHORIZED)
        .with_header(WWW_AUTHENTICATE, challenge)
        .with_header(HeaderName::from_static("dpop-nonce"), nonce)
}

fn found(location: &str) -> Answer {
    let location = HeaderValue::from_str(location).unwrap();
    Answer::status(StatusCode::FOUND).with_header(LOCATION, location)
}

#[tokio::test]
async fn each_request_carries_the_bound_token_and_a_proof_of_its_own() {
    let deployment = Deployment::start().await;
    let client = layer(&deployment).layer(hyper_client());
    let url = format!("{}/orders", deployment.api.url());
    for _ in 0..3 {
        let request = get(format!("{url}?page=2"));
        let response = client.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 1);
    let proofs = deployment.proofs();
    assert!(
        proofs
            .iter()
            .all(|proof| proof.method == "GET" && proof.url == url)
    );
    let numbers: Vec<_> = proofs.iter().map(|proof| proof.number).collect();
    assert_eq!(
        numbers,
        [2, 3, 4],
        "the first one is that of the token request"
    );
}

#[tokio::test]
async fn rfc9449_9_a_demanded_nonce_is_sent_in_one_repetition_with_the_same_body() {
    let deployment = Deployment::start().await;
    deployment
        .authorization
        .demand_nonce(HeaderValue::from_static("as"));
    deployment.api.demand_nonce(HeaderValue::from_static("n1"));
    let client = layer(&deployment).layer(hyper_client());
    for _ in 0..2 {
        let request = post(deployment.api.url(), "an order");
        let response = client.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 2);
    let n1 = Some("n1".to_owned());
    assert_eq!(nonces(&deployment), [None, n1.clone(), n1]);
    let requests = deployment.api.requests();
    assert!(requests.iter().all(|request| request.body() == "an order"));
}

#[tokio::test]
async fn a_request_is_repeated_for_a_nonce_and_replayed_after_a_rejection() {
    for nonce_first in [true, false] {
        let deployment = Deployment::start().await;
        let client = layer(&deployment).layer(hyper_client());
        if nonce_first {
            deployment.api.fail_next(1, demand("n1"));
        }
        deployment.api.reject_next(1);
        if !nonce_first {
            deployment.api.fail_next(1, demand("n1"));
        }
        let sending = client.oneshot(post(deployment.api.url(), "an order"));
        assert_eq!(sending.await.unwrap().status(), StatusCode::OK);
        let requests = deployment.api.requests();
        assert_eq!(requests.len(), 3, "{nonce_first}");
        assert!(requests.iter().all(|request| request.body() == "an order"));
        assert_eq!(deployment.authorization.tokens_issued(), 2);
    }
}

#[tokio::test]
async fn a_nonce_that_changes_during_the_repetition_is_sent_in_another_one_with_the_same_body() {
    let deployment = Deployment::start().await;
    let client = layer(&deployment).layer(hyper_client());
    deployment.api.fail_next(1, demand("n1"));
    deployment.api.reject_next(1);
    deployment.api.fail_next(1, demand("n2"));
    let sending = client.oneshot(post(deployment.api.url(), "an order"));
    assert_eq!(sending.await.unwrap().status(), StatusCode::OK);
    let (n1, n2) = (Some("n1".to_owned()), Some("n2".to_owned()));
    assert_eq!(nonces(&deployment), [None, n1.clone(), n1, n2]);
    let requests = deployment.api.requests();
    assert!(requests.iter().all(|request| request.body() == "an order"));
}

#[tokio::test]
async fn a_third_demand_and_a_second_rejection_are_delivered() {
    let deployment = Deployment::start().await;
    let client = layer(&deployment).layer(hyper_client());
    let request = || post(deployment.api.url(), "an order");
    for nonce in ["n1", "n2", "n3"] {
        deployment.api.fail_next(1, demand(nonce));
    }
    let response = client.clone().oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(deployment.api.request_count(), 3);
    deployment.api.reject_all();
    let response = client.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(deployment.api.request_count(), 5);
}

#[tokio::test]
async fn a_large_stream_is_not_repeated_and_its_nonce_is_learnt() {
    type Body = BoxBody<Bytes, io::Error>;
    let deployment = Deployment::start().await;
    deployment.api.demand_nonce(HeaderValue::from_static("n1"));
    let client = layer(&deployment).layer(hyper_client_of::<Body>());
    let send = async |bytes: usize| {
        let frame = Ok(Frame::data(Bytes::from(vec![b'x'; bytes])));
        let body: Body = BodyExt::boxed(StreamBody::new(stream::iter([frame])));
        let request = Request::post(deployment.api.url()).body(body).unwrap();
        client.clone().oneshot(request).await.unwrap().status()
    };
    let large = 65 * 1024;
    assert_eq!(send(large).await, StatusCode::UNAUTHORIZED);
    assert_eq!(deployment.api.request_count(), 1);
    assert_eq!(send(large).await, StatusCode::OK);
    deployment.api.demand_nonce(HeaderValue::from_static("n2"));
    assert_eq!(
        send(1024).await,
        StatusCode::OK,
        "a small stream is repeated"
    );
    assert_eq!(deployment.api.request_count(), 4);
}

fn channel(deployment: &Deployment) -> Auth<Channel> {
    let endpoint = Endpoint::from_shared(deployment.api.url()).unwrap();
    let authorizer = deployment.bound_authorizer(ReadableProver::local());
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer).unwrap();
    layer.layer(endpoint.connect_lazy())
}

#[tokio::test]
async fn calls_over_a_channel_carry_proofs_for_their_methods() {
    let deployment = Deployment::start().await;
    let mut echo = EchoClient::new(channel(&deployment));
    let messages = || stream::iter(["a", "b", "c"].map(Bytes::from));
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "hello");
    let joined = echo.client_stream(messages()).await.unwrap();
    assert_eq!(joined.into_inner(), "abc");
    let replies = echo.bidi(messages()).await.unwrap().into_inner();
    let replies: Vec<Bytes> = replies.try_collect().await.unwrap();
    assert_eq!(replies, ["a", "b", "c"]);
    let prefix = format!("{}/auth.testing.Echo/", deployment.api.url());
    for proof in deployment.proofs() {
        assert!(proof.url.starts_with(&prefix), "{proof:?}");
        assert_eq!(proof.method, "POST");
    }
}

#[tokio::test]
async fn a_call_is_repeated_for_a_nonce_in_the_headers_and_replayed_after_a_rejection() {
    let deployment = Deployment::start().await;
    let mut echo = EchoClient::new(channel(&deployment));
    deployment.api.demand_nonce(HeaderValue::from_static("n1"));
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "hello");
    assert_eq!(nonces(&deployment), [None, Some("n1".to_owned())]);
    // rejected, by a response that brings the next nonce
    deployment.authorization.revoke_all();
    deployment.api.demand_nonce(HeaderValue::from_static("n2"));
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "hello");
    assert_eq!(deployment.authorization.tokens_issued(), 2);
}

#[tokio::test]
async fn rfc9449_4_3_a_redirect_outside_the_layer_has_a_proof_for_each_hop() {
    let deployment = Deployment::start().await;
    deployment.api.fail_next(1, found("/second"));
    let client = layer(&deployment).layer(hyper_client());
    let client = FollowRedirectLayer::new().layer(client);
    let first = format!("{}/first", deployment.api.url());
    let response = client.oneshot(get(&first)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let urls = deployment.proofs().into_iter().map(|proof| proof.url);
    let second = format!("{}/second", deployment.api.url());
    assert_eq!(urls.collect::<Vec<_>>(), [first, second]);
}

#[tokio::test]
async fn rfc9449_4_3_inside_the_layer_the_guard_sends_no_proof_to_another_url() {
    let deployment = Deployment::start().await;
    let unlisted = deployment.unlisted_api().await;
    let inner = FollowRedirectLayer::new().layer(ProofGuardLayer.layer(hyper_client()));
    let client = layer(&deployment).layer(inner);
    let elsewhere = [format!("{}/second", deployment.api.url()), unlisted.url()];
    for (number, location) in elsewhere.iter().enumerate() {
        deployment.api.fail_next(1, found(location));
        let request = get(format!("{}/first", deployment.api.url()));
        let error = client.clone().oneshot(request).await.unwrap_err();
        let found = Error::find(&*error).unwrap();
        assert_eq!(found.kind(), ErrorKind::Redirected);
        assert_eq!(deployment.api.request_count(), number + 1);
    }
    assert_eq!(unlisted.request_count(), 0);
    let direct = client.oneshot(get(deployment.api.url())).await.unwrap();
    assert_eq!(direct.status(), StatusCode::OK);
}
