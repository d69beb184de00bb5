//! The layer on hyper-util's legacy client.

use std::{convert::Infallible, error::Error};

use auth_core::{BoxError, ErrorKind};
use auth_test_support::{
    Deployment, GatedSource, NOTHING, RawServer, authorizations,
    certificates::Authority,
    get,
    hyper_clients::{hyper_client, hyper_h2c_client, hyper_tls_client},
};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Version, header::AUTHORIZATION};
use http_body_util::Full;
use hyper::body::Incoming;
use tower::{Layer, Service, ServiceExt, service_fn};

/// Sends one request without a cached token and one with a cached token to the API at `origin`. The API
/// rejects a request without a token, and a request with two.
async fn carries_one_token<S>(deployment: &Deployment, client: S, origin: &str, version: Version)
where
    S: Service<Request<Full<Bytes>>, Response = Response<Incoming>> + Clone,
    S::Error: Into<BoxError>,
{
    let authorizer = deployment.builder().origin(origin).build().unwrap();
    let client = AuthLayer::new(authorizer).layer(client);
    for token in ["cold", "warm"] {
        let request = Request::post(origin).body(Full::from(token));
        let response = client.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    let requests = deployment.api.requests();
    assert_eq!(requests[0].body(), "cold");
    assert_eq!(requests[1].body(), "warm");
    assert!(requests.iter().all(|request| request.version() == version));
    assert_eq!(deployment.authorization.token_requests(), 1);
}

#[tokio::test]
async fn over_http1_a_request_carries_one_token() {
    let deployment = Deployment::start().await;
    let origin = deployment.api.url();
    carries_one_token(&deployment, hyper_client(), &origin, Version::HTTP_11).await;
}

#[tokio::test]
async fn over_http2_a_request_carries_one_token() {
    let deployment = Deployment::start().await;
    let origin = deployment.api.url();
    carries_one_token(&deployment, hyper_h2c_client(), &origin, Version::HTTP_2).await;
}

#[tokio::test]
async fn over_tls_and_http1_a_request_carries_one_token() {
    let (deployment, authority) = (Deployment::start().await, Authority::new());
    let origin = authority.in_front_of(&deployment.api, "http/1.1").await;
    let client = hyper_tls_client(authority.client_config());
    carries_one_token(&deployment, client, &origin, Version::HTTP_11).await;
}

#[tokio::test]
async fn over_tls_and_http2_a_request_carries_one_token() {
    let (deployment, authority) = (Deployment::start().await, Authority::new());
    let origin = authority.in_front_of(&deployment.api, "h2").await;
    let client = hyper_tls_client(authority.client_config());
    carries_one_token(&deployment, client, &origin, Version::HTTP_2).await;
}

#[tokio::test]
async fn the_injected_header_is_marked_sensitive() {
    let inner = service_fn(|request: Request<()>| async move {
        let value = &request.headers()[AUTHORIZATION];
        Ok::<_, Infallible>(Response::new((value.clone(), value.is_sensitive())))
    });
    let authorizer = GatedSource::open().authorizer("https://api.example.com");
    let client = AuthLayer::new(authorizer).layer(inner);
    for found in ["cold", "warm"] {
        let request = Request::get("https://api.example.com/").body(()).unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        let (value, is_sensitive) = response.into_body().into_inner();
        assert!(is_sensitive, "{found}");
        assert!(!format!("{value:?}").contains("token-1"), "{found}");
    }
}

#[tokio::test]
async fn an_authorization_header_of_the_caller_stays_unchanged_and_causes_no_token_request() {
    let deployment = Deployment::start().await;
    let client = AuthLayer::new(deployment.authorizer()).layer(hyper_client());
    let mut request = get(deployment.api.url());
    let own = HeaderValue::from_static("Basic b3duOm93bg==");
    request.headers_mut().insert(AUTHORIZATION, own);
    client.oneshot(request).await.unwrap();
    assert_eq!(authorizations(&deployment.api), [["Basic b3duOm93bg=="]]);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

#[tokio::test]
async fn an_unlisted_origin_gets_no_token() {
    let deployment = Deployment::start().await;
    let unlisted = deployment.unlisted_api().await;
    let client = AuthLayer::new(deployment.authorizer()).layer(hyper_client());
    let asked = |url| client.clone().oneshot(get(url));
    asked(unlisted.url()).await.unwrap();
    assert_eq!(deployment.authorization.token_requests(), 0);
    asked(deployment.api.url()).await.unwrap();
    asked(unlisted.url()).await.unwrap();
    assert_eq!(deployment.api.statuses(), [StatusCode::OK]);
    assert_eq!(
        authorizations(&unlisted),
        [NOTHING[0].clone(), NOTHING[0].clone()]
    );
}

#[tokio::test]
async fn another_name_of_the_same_host_is_another_origin() {
    let deployment = Deployment::start().await;
    let client = AuthLayer::new(deployment.authorizer()).layer(hyper_client());
    let by_name = deployment.api.url().replace("127.0.0.1", "localhost");
    client.oneshot(get(by_name)).await.unwrap();
    assert_eq!(authorizations(&deployment.api), NOTHING);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

#[tokio::test]
async fn a_userinfo_that_looks_like_the_origin_gets_no_token() {
    let source = GatedSource::open();
    for userinfo in ["127.0.0.1:4000", "127.0.0.1"] {
        let unlisted = RawServer::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let authorizer = source.warm_authorizer(format!("http://{userinfo}")).await;
        let client = AuthLayer::new(authorizer).layer(hyper_client());
        let uri = format!("http://{userinfo}@{}/", unlisted.address());
        client.oneshot(get(uri)).await.unwrap();
        let received = unlisted.received().await;
        assert!(received.starts_with("GET / HTTP/1.1"), "{received}");
        assert!(!received.contains("token-"), "{received}");
    }
}

#[tokio::test]
async fn a_uri_without_a_host_gets_no_token() {
    let inner = service_fn(|request: Request<()>| async move {
        Ok::<_, Infallible>(Response::new(request.headers().contains_key(AUTHORIZATION)))
    });
    let source = GatedSource::open();
    let client = AuthLayer::new(source.authorizer("https://api.example.com")).layer(inner);
    let request = Request::get("/path").body(()).unwrap();
    let has_token = client.oneshot(request).await.unwrap().into_body();
    assert!(!has_token.get_ref());
    assert_eq!(source.requests(), 0);
}

#[tokio::test]
async fn without_a_token_the_request_is_not_sent() {
    let deployment = Deployment::start().await;
    deployment
        .authorization
        .fail_all(Answer::oauth_error("invalid_client"));
    let client = AuthLayer::new(deployment.authorizer()).layer(hyper_client());
    for attempt in ["asks for a token", "comes while backing off"] {
        let outcome = client.clone().oneshot(get(deployment.api.url())).await;
        let error = outcome.unwrap_err();
        let error: &auth_core::Error = error.downcast_ref().expect(attempt);
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!(error.error_code(), Some("invalid_client"));
        assert!(error.source().is_none(), "the gRPC status is for gRPC only");
    }
    assert_eq!(deployment.api.request_count(), 0);
    assert_eq!(deployment.authorization.token_requests(), 1);
}

#[tokio::test]
async fn a_hundred_requests_without_a_token_make_one_token_request() {
    let deployment = Deployment::start().await;
    deployment.authorization.hold();
    let client = AuthLayer::new(deployment.authorizer()).layer(hyper_client());
    let call = || tokio_test::task::spawn(client.clone().oneshot(get(deployment.api.url())));
    let mut calls: Vec<_> = (0..100).map(|_| call()).collect();
    for call in &mut calls {
        assert!(call.poll().is_pending());
    }
    deployment.authorization.until_token_requests(1).await;
    deployment.authorization.release();
    for call in calls {
        assert_eq!(call.await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(deployment.authorization.token_requests(), 1);
}
