//! The middleware on reqwest-middleware's client.

use std::time::Duration;

use auth_core::{Authorizer, ErrorKind};
use auth_reqwest::AuthMiddleware;
use auth_test_support::{
    Deployment, NOTHING, RawServer, authorizations,
    certificates::Authority,
    reqwest_clients::{reqwest_builder, reqwest_client},
};
use auth_testing::Answer;
use bytes::Bytes;
use futures_util::{future::join_all, stream};
use http::{
    HeaderValue, StatusCode, Version,
    header::{AUTHORIZATION, LOCATION},
};
use reqwest::{Body, Certificate};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};
use tokio::{sync::mpsc, time::timeout};

fn client(authorizer: Authorizer) -> ClientWithMiddleware {
    let builder = ClientBuilder::new(reqwest_client());
    builder.with(AuthMiddleware::new(authorizer)).build()
}

#[tokio::test]
async fn over_http1_a_request_carries_one_token() {
    let deployment = Deployment::start().await;
    let client = client(deployment.authorizer());
    for token in ["cold", "warm"] {
        let response = client.post(deployment.api.url()).body(token).send().await;
        assert_eq!(response.unwrap().status(), StatusCode::OK);
    }
    let requests = deployment.api.requests();
    assert_eq!(requests[0].version(), Version::HTTP_11);
    assert_eq!(requests[0].body(), "cold");
    assert_eq!(requests[1].body(), "warm");
    assert_eq!(deployment.authorization.token_requests(), 1);
}

#[tokio::test]
async fn over_tls_and_http2_a_request_carries_one_token() {
    let (deployment, authority) = (Deployment::start().await, Authority::new());
    let origin = authority.in_front_of(&deployment.api, "h2").await;
    let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let trusting = reqwest_builder().tls_certs_only([root]).build().unwrap();
    let authorizer = deployment.builder().origin(&origin).build().unwrap();
    let client = ClientBuilder::new(trusting);
    let client = client.with(AuthMiddleware::new(authorizer)).build();
    for _ in ["cold", "warm"] {
        let response = client.get(&origin).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.version(), Version::HTTP_2);
    }
    assert_eq!(deployment.authorization.token_requests(), 1);
}

/// reqwest-middleware#44: a body that cannot be cloned made a middleware fail before sending.
#[tokio::test]
async fn a_streaming_body_is_sent() {
    let deployment = Deployment::start().await;
    let client = client(deployment.authorizer());
    for _ in ["cold", "warm"] {
        let chunks = stream::iter(["a", "b", "c"].map(Ok::<_, std::io::Error>));
        let request = client.post(deployment.api.url());
        let response = request.body(Body::wrap_stream(chunks)).send().await;
        assert_eq!(response.unwrap().status(), StatusCode::OK);
    }
    for request in deployment.api.requests() {
        assert_eq!(request.body(), "abc");
    }
}

/// If the body were collected before it is sent, the API would not receive the request.
#[tokio::test]
async fn a_streaming_body_is_sent_chunk_by_chunk() {
    let deployment = Deployment::start().await;
    let client = client(deployment.authorizer());
    let (say, heard) = mpsc::channel::<Bytes>(1);
    let chunks = stream::unfold(heard, |mut heard| async {
        let chunk = heard.recv().await?;
        Some((Ok::<_, std::io::Error>(chunk), heard))
    });
    let sending = client
        .post(deployment.api.url())
        .body(Body::wrap_stream(chunks));
    let sending = tokio::spawn(sending.send());
    say.send("first, ".into()).await.unwrap();
    let arrived = timeout(Duration::from_secs(10), deployment.api.until_requests(1));
    arrived
        .await
        .expect("the request was not sent before the body was complete");
    say.send("second".into()).await.unwrap();
    drop(say);
    assert_eq!(sending.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(deployment.api.requests()[0].body(), "first, second");
}

#[tokio::test]
async fn an_authorization_header_of_the_caller_stays_unchanged_and_causes_no_token_request() {
    let deployment = Deployment::start().await;
    let request = client(deployment.authorizer()).get(deployment.api.url());
    let own = HeaderValue::from_static("Basic b3duOm93bg==");
    request.header(AUTHORIZATION, own).send().await.unwrap();
    assert_eq!(authorizations(&deployment.api), [["Basic b3duOm93bg=="]]);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

#[tokio::test]
async fn an_unlisted_origin_gets_no_token() {
    let deployment = Deployment::start().await;
    let unlisted = deployment.unlisted_api().await;
    let client = client(deployment.authorizer());
    client.get(unlisted.url()).send().await.unwrap();
    assert_eq!(authorizations(&unlisted), NOTHING);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

/// reqwest turns userinfo into an `Authorization` header, which stays unchanged.
#[tokio::test]
async fn a_userinfo_that_looks_like_the_origin_gets_no_token() {
    let deployment = Deployment::start().await;
    let unlisted = deployment.unlisted_api().await;
    let trick = unlisted.url().replace("//", "//127.0.0.1:4000@");
    let authorizer = deployment.builder().origin("http://127.0.0.1:4000");
    let client = client(authorizer.build().unwrap());
    client.get(trick).send().await.unwrap();
    assert_eq!(authorizations(&unlisted), [["Basic MTI3LjAuMC4xOjQwMDA="]]);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

#[tokio::test]
async fn a_redirect_to_an_unlisted_origin_carries_no_token() {
    let deployment = Deployment::start().await;
    let unlisted =
        RawServer::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let location = HeaderValue::from_str(&unlisted.origin()).unwrap();
    let redirect = Answer::status(StatusCode::TEMPORARY_REDIRECT).with_header(LOCATION, location);
    deployment.api.fail_next(1, redirect);
    let request = client(deployment.authorizer()).get(deployment.api.url());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);

    let shown = &authorizations(&deployment.api)[0][0];
    let token = shown.strip_prefix("Bearer ").unwrap();
    let received = unlisted.received().await;
    assert!(received.starts_with("GET / HTTP/1.1"), "{received}");
    assert!(!received.to_lowercase().contains("authorization"));
    assert!(!received.contains(token));
}

#[tokio::test]
async fn a_redirect_within_the_origin_carries_one_token() {
    let deployment = Deployment::start().await;
    let redirect = Answer::status(StatusCode::FOUND);
    let redirect = redirect.with_header(LOCATION, HeaderValue::from_static("/second"));
    deployment.api.fail_next(1, redirect);
    let request = client(deployment.authorizer()).get(deployment.api.url());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    let shown = authorizations(&deployment.api);
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[1].len(), 1);
}

#[tokio::test]
async fn without_a_token_the_request_is_not_sent() {
    let deployment = Deployment::start().await;
    let denied = Answer::oauth_error("invalid_client");
    deployment.authorization.fail_all(denied);
    let outcome = client(deployment.authorizer())
        .get(deployment.api.url())
        .send();
    let Error::Middleware(error) = outcome.await.unwrap_err() else {
        panic!("expected a middleware error");
    };
    let error: &auth_core::Error = error.downcast_ref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(error.error_code(), Some("invalid_client"));
    assert_eq!(deployment.api.request_count(), 0);
}

#[tokio::test]
async fn a_hundred_requests_without_a_token_make_one_token_request() {
    let deployment = Deployment::start().await;
    deployment.authorization.hold();
    let client = client(deployment.authorizer());
    let calls = (0..100).map(|_| client.get(deployment.api.url()).send());
    let ends = async {
        deployment.authorization.until_token_requests(1).await;
        deployment.authorization.release();
    };
    let (outcomes, ()) = tokio::join!(join_all(calls), ends);
    for outcome in outcomes {
        assert_eq!(outcome.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 1);
}

/// reqwest connects by the URL, also for gRPC content types.
#[tokio::test]
async fn a_grpc_web_request_carries_a_token() {
    let deployment = Deployment::start().await;
    let middleware = AuthMiddleware::new(deployment.authorizer());
    let client = ClientBuilder::new(reqwest_client())
        .with(middleware)
        .build();
    let request = client.post(deployment.api.url()).body("x");
    let request = request.header("content-type", "application/grpc-web+proto");
    request.send().await.unwrap();
    assert_eq!(authorizations(&deployment.api)[0].len(), 1);
}
