//! Tokens that are bound to a key (RFC 9449), on reqwest.

use auth_core::{Error, ErrorKind};
use auth_reqwest::{AuthMiddleware, redirect_policy};
use auth_test_support::{Deployment, ReadableProver, reqwest_clients::reqwest_builder};
use auth_testing::Answer;
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{LOCATION, WWW_AUTHENTICATE},
};
use reqwest::{Body, redirect::Policy};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

fn client(deployment: &Deployment, policy: Policy) -> ClientWithMiddleware {
    let authorizer = deployment.bound_authorizer(ReadableProver::local());
    let client = reqwest_builder().redirect(policy).build().unwrap();
    let builder = ClientBuilder::new(client);
    builder.with(AuthMiddleware::new(authorizer)).build()
}

fn redirect_to(deployment: &Deployment, location: &str) {
    let location = HeaderValue::from_str(location).unwrap();
    let found = Answer::status(StatusCode::FOUND).with_header(LOCATION, location);
    deployment.api.fail_next(1, found);
}

#[tokio::test]
async fn each_request_carries_the_bound_token_and_a_proof_for_its_url() {
    let deployment = Deployment::start().await;
    let client = client(&deployment, redirect_policy());
    let url = format!("{}/a%20b", deployment.api.url());
    for _ in 0..2 {
        let response = client
            .get(format!("{url}?page=2#top"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert!(deployment.proofs().iter().all(|proof| proof.url == url));
    assert_eq!(deployment.authorization.token_requests(), 1);
}

#[tokio::test]
async fn rfc9449_9_a_demanded_nonce_is_sent_in_one_repetition_with_the_same_body() {
    let deployment = Deployment::start().await;
    let client = client(&deployment, redirect_policy());
    deployment.api.demand_nonce(HeaderValue::from_static("n1"));
    for _ in 0..2 {
        let request = client.post(deployment.api.url()).body("an order");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }
    let nonces: Vec<_> = deployment
        .proofs()
        .into_iter()
        .map(|proof| proof.nonce)
        .collect();
    let n1 = Some("n1".to_owned());
    assert_eq!(nonces, [None, n1.clone(), n1]);
    let requests = deployment.api.requests();
    assert!(requests.iter().all(|request| request.body() == "an order"));
}

#[tokio::test]
async fn a_request_is_repeated_for_a_nonce_and_replayed_after_a_rejection() {
    for nonce_first in [true, false] {
        let deployment = Deployment::start().await;
        let client = client(&deployment, redirect_policy());
        let challenge = HeaderValue::from_static("DPoP error=\"use_dpop_nonce\"");
        let nonce = HeaderName::from_static("dpop-nonce");
        let demand = Answer::status(StatusCode::UNAUTHORIZED)
            .with_header(WWW_AUTHENTICATE, challenge)
            .with_header(nonce, HeaderValue::from_static("n1"));
        if nonce_first {
            deployment.api.fail_next(1, demand.clone());
        }
        deployment.api.reject_next(1);
        if !nonce_first {
            deployment.api.fail_next(1, demand);
        }
        let send = || client.post(deployment.api.url()).body("an order").send();
        assert_eq!(send().await.unwrap().status(), StatusCode::OK);
        let requests = deployment.api.requests();
        assert_eq!(requests.len(), 3, "{nonce_first}");
        assert!(requests.iter().all(|request| request.body() == "an order"));
        assert_eq!(deployment.authorization.tokens_issued(), 2);
        deployment.api.reject_all();
        assert_eq!(send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        assert!(deployment.api.request_count() <= 5, "one replay");
    }
}

#[tokio::test]
async fn a_stream_is_not_repeated_and_its_nonce_is_learnt() {
    let deployment = Deployment::start().await;
    let client = client(&deployment, redirect_policy());
    deployment.api.demand_nonce(HeaderValue::from_static("n1"));
    let send = || {
        let frames = stream::iter([Ok::<_, std::io::Error>(Bytes::from("an order"))]);
        let body = Body::wrap_stream(frames);
        client.post(deployment.api.url()).body(body).send()
    };
    assert_eq!(send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(deployment.api.request_count(), 2);
}

#[tokio::test]
async fn rfc9449_4_3_our_policy_sends_no_proof_to_another_url() {
    let deployment = Deployment::start().await;
    let unlisted = deployment.unlisted_api().await;
    let client = client(&deployment, redirect_policy());
    let elsewhere = [format!("{}/second", deployment.api.url()), unlisted.url()];
    for (number, location) in elsewhere.iter().enumerate() {
        redirect_to(&deployment, location);
        let error = client.get(deployment.api.url()).send().await.unwrap_err();
        let found = Error::find(&error).unwrap();
        assert_eq!(found.kind(), ErrorKind::Redirected);
        assert!(
            found.to_string().contains("request the target itself"),
            "{found}"
        );
        assert_eq!(deployment.api.request_count(), number + 1);
    }
    assert_eq!(unlisted.request_count(), 0);
    // also in a replay
    deployment.authorization.revoke_all();
    deployment.api.reject_next(1);
    redirect_to(&deployment, &unlisted.url());
    assert!(client.get(deployment.api.url()).send().await.is_err());
    assert_eq!(unlisted.request_count(), 0);
}

#[tokio::test]
async fn a_request_without_a_proof_is_redirected_as_before() {
    let deployment = Deployment::start().await;
    let unlisted = deployment.unlisted_api().await;
    let client = client(&deployment, redirect_policy());
    let location = HeaderValue::from_static("/second");
    unlisted.fail_next(
        1,
        Answer::status(StatusCode::FOUND).with_header(LOCATION, location),
    );
    let response = client.get(unlisted.url()).send().await.unwrap();
    assert!(response.url().as_str().ends_with("/second"), "{response:?}");
}

#[tokio::test]
async fn a_client_that_follows_no_redirects_returns_the_response() {
    let deployment = Deployment::start().await;
    let client = client(&deployment, Policy::none());
    redirect_to(&deployment, "/second");
    let response = client.get(deployment.api.url()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn a_client_with_another_policy_that_repeats_the_proof_is_an_error() {
    let deployment = Deployment::start().await;
    let client = client(&deployment, Policy::default());
    redirect_to(&deployment, "/second");
    let error = client.get(deployment.api.url()).send().await.unwrap_err();
    let found = Error::find(&error).unwrap();
    assert_eq!(found.kind(), ErrorKind::Redirected);
    assert!(found.to_string().contains("redirect_policy"), "{found}");
}
