//! What each hop carries. reqwest follows redirects below every middleware: the middleware sees one request
//! and the last response.

use auth_core::Authorizer;
use auth_reqwest::{AuthMiddleware, client_builder};
use auth_test_support::{
    Deployment, NOTHING, RawServer, authorizations,
    certificates::use_ring,
    reqwest_clients::{reqwest_builder, reqwest_client},
};
use auth_testing::Answer;
use http::{
    HeaderValue, StatusCode,
    header::{AUTHORIZATION, LOCATION},
};
use reqwest::redirect::Policy;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

fn client(authorizer: Authorizer) -> ClientWithMiddleware {
    let builder = ClientBuilder::new(reqwest_client());
    builder.with(AuthMiddleware::new(authorizer)).build()
}

async fn redirecting(location: &str) -> RawServer {
    RawServer::start(format!(
        "HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ))
    .await
}

#[tokio::test]
async fn a_redirect_of_an_unlisted_origin_reaches_the_api_without_a_token() {
    let deployment = Deployment::start().await;
    let last = redirecting(&format!("{}/admin", deployment.api.url())).await;
    let first = redirecting(&last.origin()).await;
    let client = client(deployment.authorizer());
    let response = client.get(first.origin()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(authorizations(&deployment.api), NOTHING);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

#[tokio::test]
async fn from_the_api_through_an_unlisted_origin_the_api_is_reached_without_a_token() {
    let deployment = Deployment::start().await;
    let back = format!("{}/admin", deployment.api.url());
    let unlisted = redirecting(&back).await;
    let location = HeaderValue::from_str(&unlisted.origin()).unwrap();
    let found = Answer::status(StatusCode::FOUND).with_header(LOCATION, location);
    deployment.api.fail_next(1, found);
    let client = client(deployment.authorizer());
    let response = client.get(deployment.api.url()).send().await.unwrap();
    // the last response is from the API: it counts as a rejection, and the request is replayed
    assert_eq!(response.status(), StatusCode::OK);
    let shown = authorizations(&deployment.api);
    assert_eq!(shown[0].len(), 1);
    assert_eq!(shown[1..2], NOTHING);
    assert_eq!(deployment.api.requests()[2].uri(), "/");
    assert!(!unlisted.received().await.contains("authorization"));
}

/// reqwest drops the header where the origin changes, so that the other API gets no token.
#[tokio::test]
async fn a_redirect_of_an_allowed_origin_to_another_carries_no_token() {
    let deployment = Deployment::start().await;
    let allowed = redirecting(&deployment.api.url()).await;
    let list = deployment.builder().origin(allowed.origin());
    let authorizer = list.origin(deployment.api.url()).build().unwrap();
    let response = client(authorizer)
        .get(allowed.origin())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(authorizations(&deployment.api), NOTHING);
    assert!(allowed.received().await.contains("authorization: Bearer"));
}

#[tokio::test]
async fn an_authorization_header_of_the_caller_does_not_become_the_token() {
    let deployment = Deployment::start().await;
    let unlisted = redirecting(&deployment.api.url()).await;
    let request = client(deployment.authorizer()).get(unlisted.origin());
    let response = request.header(AUTHORIZATION, "Basic b3duOm93bg==").send();
    assert_eq!(response.await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(authorizations(&deployment.api), NOTHING);
}

/// No middleware follows the redirect, so that the caller may read it.
#[tokio::test]
async fn a_client_that_follows_no_redirects_returns_the_redirect() {
    let deployment = Deployment::start().await;
    let unlisted = redirecting(&deployment.api.url()).await;
    let plain = reqwest_builder().redirect(Policy::none()).build().unwrap();
    let client = ClientBuilder::new(plain);
    let client = client
        .with(AuthMiddleware::new(deployment.authorizer()))
        .build();
    let response = client.get(unlisted.origin()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(deployment.api.request_count(), 0);
}

/// The API redirects to an unlisted origin, which redirects once more, to itself. reqwest's own policy sends
/// the token with the second hop.
#[tokio::test]
async fn no_later_hop_at_an_unlisted_origin_carries_the_token() {
    use_ring();
    let deployment = Deployment::start().await;
    let unlisted = redirecting("/again").await;
    let location = HeaderValue::from_str(&unlisted.origin()).unwrap();
    let found = Answer::status(StatusCode::FOUND).with_header(LOCATION, location);
    deployment.api.fail_next(1, found);
    let builder = ClientBuilder::new(client_builder().build().unwrap());
    let middleware = AuthMiddleware::new(deployment.authorizer());
    let client = builder.with(middleware).build();
    let outcome = client.get(deployment.api.url()).send().await;
    let error = outcome.unwrap_err();
    assert!(error.is_redirect(), "{error:?}");
    assert!(format!("{error:?}").contains("not followed"), "{error:?}");
    assert_eq!(authorizations(&deployment.api)[0].len(), 1);
    let received = unlisted.received().await;
    assert!(received.starts_with("GET / "), "{received}");
    assert!(!received.contains("authorization"), "{received}");
    assert!(!received.contains("/again "), "{received}");
}

#[tokio::test]
async fn redirects_that_repeat_no_dropped_header_are_followed() {
    use_ring();
    let deployment = Deployment::start().await;
    let last =
        RawServer::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let middle = redirecting(&last.origin()).await;
    let to = |location: &str| {
        let location = HeaderValue::from_str(location).unwrap();
        Answer::status(StatusCode::FOUND).with_header(LOCATION, location)
    };
    deployment.api.fail_next(1, to("/second"));
    deployment.api.fail_next(1, to(&middle.origin()));
    let builder = ClientBuilder::new(client_builder().build().unwrap());
    let middleware = AuthMiddleware::new(deployment.authorizer());
    let client = builder.with(middleware).build();
    let response = client.get(deployment.api.url()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let shown = authorizations(&deployment.api);
    assert_eq!(shown[0], shown[1], "within the API the token is sent again");
    for server in [middle, last] {
        assert!(!server.received().await.contains("authorization"));
    }
}

/// As with reqwest's own policy.
#[tokio::test]
async fn the_eleventh_redirect_is_an_error() {
    use_ring();
    let looping = redirecting("/again").await;
    let client = client_builder().build().unwrap();
    let error = client.get(looping.origin()).send().await.unwrap_err();
    assert!(error.is_redirect(), "{error:?}");
    assert_eq!(looping.received().await.matches("GET ").count(), 11);
}
