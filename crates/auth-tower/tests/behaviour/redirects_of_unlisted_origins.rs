//! What each hop carries after a redirect of an unlisted origin, with the stock `FollowRedirectLayer` on
//! either side of the layer, on real servers.

use auth_core::{Authorizer, BoxError, Error, ErrorKind, TokenRequest};
use auth_test_support::{
    Deployment, NOTHING, RawServer, authorizations, get, hyper_clients::hyper_client,
};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{AUTHORIZATION, HOST, LOCATION},
};
use http_body_util::Full;
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Starts a server of an unlisted origin that redirects every request.
pub(crate) async fn redirecting(status: u16, locations: &[&str]) -> RawServer {
    let lines: String = locations
        .iter()
        .map(|location| format!("location: {location}\r\n"))
        .collect();
    let head = format!("HTTP/1.1 {status} Redirect\r\n{lines}");
    RawServer::start(format!(
        "{head}content-length: 0\r\nconnection: close\r\n\r\n"
    ))
    .await
}

/// Sends a request through `FollowRedirect` around the layer, as the guide advises.
pub(crate) async fn auth_inside(
    authorizer: Authorizer,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, BoxError> {
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(AuthLayer::new(authorizer))
        .service(hyper_client());
    Ok(client.oneshot(request).await?.status())
}

/// Sends a request through the layer around `FollowRedirect`.
async fn auth_outside(
    authorizer: Authorizer,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, BoxError> {
    let client = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer))
        .layer(FollowRedirectLayer::new())
        .service(hyper_client());
    Ok(client.oneshot(request).await?.status())
}

fn assert_not_followed(outcome: Result<StatusCode, BoxError>, deployment: &Deployment) {
    let error = outcome.expect_err("the redirect was followed");
    let error: &Error = error.downcast_ref().expect("an error of auth-core");
    assert_eq!(error.kind(), ErrorKind::Redirected);
    assert!(error.to_string().contains(&deployment.api.url()), "{error}");
    assert_eq!(deployment.api.request_count(), 0, "{error}");
    assert_eq!(deployment.authorization.token_requests(), 0);
}

#[tokio::test]
async fn every_redirect_status_and_spelling_to_the_api_is_an_error() {
    for status in [301, 302, 303, 307, 308] {
        let deployment = Deployment::start().await;
        let port = deployment.api.url();
        let port = port.rsplit_once(':').unwrap().1;
        for location in [
            format!("http://127.0.0.1:{port}/admin?delete=all"),
            format!("//127.0.0.1:{port}/admin"),
            format!("HTTP:\\\\127.0.0.1:0{port}"),
            format!("///user:pw@0x7f.1:{port}/"),
        ] {
            let unlisted = redirecting(status, &[&location]).await;
            let outcome = auth_inside(deployment.authorizer(), get(unlisted.origin())).await;
            assert_not_followed(outcome, &deployment);
            assert!(!unlisted.received().await.contains("authorization"));
        }
    }
}

#[tokio::test]
async fn a_post_with_its_body_does_not_reach_the_api() {
    let deployment = Deployment::start().await;
    let unlisted = redirecting(307, &[&deployment.api.url()]).await;
    // tower-http repeats an empty body only
    let mut request = get(unlisted.origin());
    *request.method_mut() = Method::DELETE;
    assert_not_followed(
        auth_inside(deployment.authorizer(), request).await,
        &deployment,
    );
}

/// `FollowRedirect` removes the caller's header across origins, and the layer would add its token.
#[tokio::test]
async fn an_authorization_header_of_the_caller_does_not_become_the_token() {
    let deployment = Deployment::start().await;
    let unlisted = redirecting(302, &[&deployment.api.url()]).await;
    let mut request = get(unlisted.origin());
    let own = HeaderValue::from_static("Basic b3duOm93bg==");
    request.headers_mut().insert(AUTHORIZATION, own);
    assert_not_followed(
        auth_inside(deployment.authorizer(), request).await,
        &deployment,
    );
    assert!(unlisted.received().await.contains("authorization: Basic"));
}

#[tokio::test]
async fn each_of_several_locations_counts() {
    let deployment = Deployment::start().await;
    let other = RawServer::start(OK).await;
    for locations in [
        [deployment.api.url(), other.origin()],
        [other.origin(), deployment.api.url()],
    ] {
        let unlisted = redirecting(302, &[&locations[0], &locations[1]]).await;
        let outcome = auth_inside(deployment.authorizer(), get(unlisted.origin())).await;
        assert_not_followed(outcome, &deployment);
    }
}

#[tokio::test]
async fn through_a_chain_of_unlisted_origins_the_api_is_not_reached() {
    let deployment = Deployment::start().await;
    let last = redirecting(302, &[&deployment.api.url()]).await;
    let middle = redirecting(302, &[&last.origin()]).await;
    let first = redirecting(302, &[&middle.origin()]).await;
    let outcome = auth_inside(deployment.authorizer(), get(first.origin())).await;
    assert_not_followed(outcome, &deployment);
    for unlisted in [first, middle, last] {
        assert!(!unlisted.received().await.contains("authorization"));
    }
}

#[tokio::test]
async fn from_the_api_through_an_unlisted_origin_the_api_is_not_reached_again() {
    let deployment = Deployment::start().await;
    let back = format!("{}/admin", deployment.api.url());
    let unlisted = redirecting(302, &[&back]).await;
    let found = Answer::status(StatusCode::FOUND);
    let location = HeaderValue::from_str(&unlisted.origin()).unwrap();
    deployment
        .api
        .fail_next(1, found.with_header(LOCATION, location));
    let outcome = auth_inside(deployment.authorizer(), get(deployment.api.url())).await;
    let error = outcome.unwrap_err();
    assert_eq!(
        error.downcast_ref::<Error>().unwrap().kind(),
        ErrorKind::Redirected
    );
    assert_eq!(deployment.api.request_count(), 1);
    assert!(!unlisted.received().await.contains("authorization"));
}

#[tokio::test]
async fn redirects_among_unlisted_origins_are_followed() {
    let deployment = Deployment::start().await;
    let last = RawServer::start(OK).await;
    let first = redirecting(302, &[&last.origin()]).await;
    let outcome = auth_inside(deployment.authorizer(), get(first.origin())).await;
    assert_eq!(outcome.unwrap(), StatusCode::OK);
    assert!(!last.received().await.contains("authorization"));
}

/// An origin that is listed may choose requests with the token.
#[tokio::test]
async fn redirects_of_an_allowed_origin_to_another_are_followed_with_the_token() {
    let deployment = Deployment::start().await;
    let allowed = redirecting(302, &[&deployment.api.url()]).await;
    let list = deployment.builder().origin(allowed.origin());
    let authorizer = list.origin(deployment.api.url()).build().unwrap();
    let outcome = auth_inside(authorizer, get(allowed.origin())).await;
    assert_eq!(outcome.unwrap(), StatusCode::OK);
    assert_eq!(authorizations(&deployment.api)[0].len(), 1);
}

/// Allowed origins trust each other, also where each has a token of its own.
#[tokio::test]
async fn a_redirect_of_an_allowed_origin_carries_the_token_that_is_bound_to_the_other() {
    let deployment = Deployment::start().await;
    let allowed = redirecting(302, &[&deployment.api.url()]).await;
    let scope = |scope| TokenRequest::builder().scope(scope).build().unwrap();
    let list = deployment
        .builder()
        .origin_with(allowed.origin(), scope("files"))
        .origin_with(deployment.api.url(), scope("orders"));
    deployment.api.require_scope("orders");
    let outcome = auth_inside(list.build().unwrap(), get(allowed.origin())).await;
    assert_eq!(outcome.unwrap(), StatusCode::OK);
    assert_eq!(deployment.authorization.token_requests(), 2);
    let shown = authorizations(&deployment.api)[0][0].clone();
    assert!(!allowed.received().await.contains(&shown));
}

#[tokio::test]
async fn with_the_layer_outside_another_allowed_origin_gets_no_token() {
    let deployment = Deployment::start().await;
    let allowed = redirecting(302, &[&deployment.api.url()]).await;
    let list = deployment.builder().origin(allowed.origin());
    let authorizer = list.origin(deployment.api.url()).build().unwrap();
    let outcome = auth_outside(authorizer, get(allowed.origin())).await;
    assert_eq!(outcome.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!(authorizations(&deployment.api)[..1], NOTHING);
    assert!(allowed.received().await.contains("authorization: Bearer"));
}

/// A virtual host beside the API answers.
#[tokio::test]
async fn a_redirect_of_the_host_in_a_host_header_is_an_error() {
    let deployment = Deployment::start().await;
    let here = redirecting(302, &[&deployment.api.url()]).await;
    let list = deployment.builder().origin(here.origin());
    let authorizer = list.origin(deployment.api.url()).build().unwrap();
    let mut request = get(here.origin());
    let host = HeaderValue::from_static("evil.example");
    request.headers_mut().insert(HOST, host);
    assert_not_followed(auth_inside(authorizer, request).await, &deployment);
    let received = here.received().await;
    assert!(received.contains("host: evil.example"), "{received}");
    assert!(!received.contains("authorization"), "{received}");
}

/// Outside `FollowRedirect`, the layer is asked about the first request only.
#[tokio::test]
async fn with_the_layer_outside_no_hop_carries_a_token() {
    let deployment = Deployment::start().await;
    let last = redirecting(302, &[&deployment.api.url()]).await;
    let first = redirecting(302, &[&last.origin()]).await;
    let outcome = auth_outside(deployment.authorizer(), get(first.origin())).await;
    assert_eq!(outcome.unwrap(), StatusCode::UNAUTHORIZED);
    assert_eq!(authorizations(&deployment.api), NOTHING);
    assert_eq!(deployment.authorization.token_requests(), 0);
}

/// Without a client that follows redirects, the caller would have to make the request itself.
#[tokio::test]
async fn without_a_following_client_the_redirect_is_an_error_as_well() {
    let deployment = Deployment::start().await;
    let unlisted = redirecting(302, &[&deployment.api.url()]).await;
    let client = AuthLayer::new(deployment.authorizer()).layer(hyper_client());
    let outcome = client.oneshot(get(unlisted.origin())).await;
    assert_not_followed(outcome.map(|response| response.status()), &deployment);
}
