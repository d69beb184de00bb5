//! tower-http's `FollowRedirect` around the layer and inside it.

use auth_core::{Authorizer, TokenRequest};
use auth_test_support::{
    Deployment, NOTHING, RawServer, authorizations, get, hyper_clients::hyper_client,
};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header::LOCATION};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_http::follow_redirect::FollowRedirectLayer;

const WELCOME: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn sent_to(location: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

fn found(location: &str) -> Answer {
    let location = HeaderValue::from_str(location).unwrap();
    Answer::status(StatusCode::FOUND).with_header(LOCATION, location)
}

/// Sends one request, which the API redirects.
async fn redirected(deployment: &Deployment, nesting: Nesting, location: &str) -> StatusCode {
    redirected_with(deployment, &deployment.authorizer(), nesting, location).await
}

async fn redirected_with(
    deployment: &Deployment,
    authorizer: &Authorizer,
    nesting: Nesting,
    location: &str,
) -> StatusCode {
    deployment.api.fail_next(1, found(location));
    let request = get(format!("{}/first", deployment.api.url()));
    send(authorizer, nesting, request).await
}

async fn send(
    authorizer: &Authorizer,
    nesting: Nesting,
    request: Request<Full<Bytes>>,
) -> StatusCode {
    let auth = AuthLayer::new(authorizer.clone());
    let follow = FollowRedirectLayer::new();
    let response = match nesting {
        Nesting::AuthInside => {
            follow
                .layer(auth.layer(hyper_client()))
                .oneshot(request)
                .await
        }
        Nesting::AuthOutside => {
            auth.layer(follow.layer(hyper_client()))
                .oneshot(request)
                .await
        }
    };
    response.unwrap().status()
}

#[derive(Clone, Copy, Debug)]
enum Nesting {
    AuthInside,
    AuthOutside,
}

const BOTH: [Nesting; 2] = [Nesting::AuthInside, Nesting::AuthOutside];

#[tokio::test]
async fn a_redirect_to_an_unlisted_origin_carries_no_token() {
    for nesting in BOTH {
        let deployment = Deployment::start().await;
        let unlisted = RawServer::start(WELCOME).await;
        let location = format!("{}/second", unlisted.origin());
        let status = redirected(&deployment, nesting, &location).await;
        assert_eq!(status, StatusCode::OK, "{nesting:?}");

        let shown = &authorizations(&deployment.api)[0][0];
        let token = shown.strip_prefix("Bearer ").unwrap();
        let received = unlisted.received().await.to_lowercase();
        assert!(received.starts_with("get /second http/1.1"), "{received}");
        assert!(!received.contains("authorization"), "{nesting:?}");
        assert!(!received.contains(&token.to_lowercase()), "{nesting:?}");
    }
}

/// golang/oauth2#500: the header was added again on every hop.
#[tokio::test]
async fn a_hop_within_the_origin_carries_one_token() {
    for nesting in BOTH {
        let deployment = Deployment::start().await;
        let status = redirected(&deployment, nesting, "/second").await;
        assert_eq!(status, StatusCode::OK, "{nesting:?}");
        let shown = authorizations(&deployment.api);
        assert_eq!(shown[0], shown[1]);
        assert_eq!(shown[1].len(), 1);
    }
}

/// Outside `FollowRedirect`, the layer handles one request and one response. The header that
/// `FollowRedirect` has removed stays removed, and the resulting 401 is classified as a rejection of the
/// token. The request is replayed.
#[tokio::test]
async fn outside_the_redirects_a_hop_back_from_an_unlisted_origin_carries_none() {
    let deployment = Deployment::start().await;
    let back = format!("{}/third", deployment.api.url());
    let unlisted = RawServer::start(sent_to(&back)).await;
    let status = redirected(&deployment, Nesting::AuthOutside, &unlisted.origin()).await;
    assert_eq!(status, StatusCode::OK);
    let shown = authorizations(&deployment.api);
    assert_eq!(shown[1..2], NOTHING);
    assert_ne!(shown[0], shown[2]);
}

/// Inside `FollowRedirect`, the layer replays the last hop. Outside, it replays the whole request.
#[tokio::test]
async fn a_rejection_after_a_hop_within_the_origin_is_replayed() {
    for (nesting, again) in [
        (Nesting::AuthInside, "/second"),
        (Nesting::AuthOutside, "/first"),
    ] {
        let deployment = Deployment::start().await;
        let authorizer = deployment.revoked().await;
        let status = redirected_with(&deployment, &authorizer, nesting, "/second").await;
        assert_eq!(status, StatusCode::OK, "{nesting:?}");
        let shown = authorizations(&deployment.api);
        assert_eq!(shown.len(), 3, "{nesting:?}");
        assert_eq!(deployment.api.requests()[2].uri(), again, "{nesting:?}");
        assert_eq!(shown[0], shown[1]);
        assert_ne!(shown[1], shown[2]);
        assert_eq!(deployment.authorization.token_requests(), 2);
    }
}

/// Within the origin `FollowRedirect` keeps the extension that picks the token.
#[tokio::test]
async fn a_hop_within_the_origin_carries_the_token_that_was_picked() {
    for nesting in BOTH {
        let deployment = Deployment::start().await;
        let authorizer = deployment.authorizer();
        let mut request = get(format!("{}/first", deployment.api.url()));
        let picked = TokenRequest::builder().scope("read").build().unwrap();
        request.extensions_mut().insert(picked);
        deployment.api.fail_next(1, found("/second"));
        deployment.api.require_scope("read");
        let status = send(&authorizer, nesting, request).await;
        assert_eq!(status, StatusCode::OK, "{nesting:?}");
        assert_eq!(deployment.authorization.token_requests(), 1);
    }
}

/// Across origins `FollowRedirect` drops the extension. A hop to another allowed origin therefore carries
/// the default token.
#[tokio::test]
async fn a_hop_to_another_allowed_origin_does_not_carry_the_picked_token() {
    let deployment = Deployment::start().await;
    let other = deployment.unlisted_api().await;
    let named = deployment.builder();
    let named = named.origins([deployment.api.url(), other.url()]);
    let authorizer = named.build().unwrap();
    let mut request = get(deployment.api.url());
    let picked = TokenRequest::builder().scope("read").build().unwrap();
    request.extensions_mut().insert(picked);
    deployment.api.fail_next(1, found(&other.url()));
    let status = send(&authorizer, Nesting::AuthInside, request).await;
    assert_eq!(status, StatusCode::OK);
    let default = authorizer.tokens().unwrap().token().await.unwrap();
    let expected = format!("Bearer {}", default.secret());
    assert_eq!(authorizations(&other), [[expected]]);
    assert_ne!(authorizations(&deployment.api), authorizations(&other));
}

/// The unlisted origin redirects once more, to itself.
#[tokio::test]
async fn no_later_hop_at_an_unlisted_origin_carries_the_token() {
    for nesting in BOTH {
        let deployment = Deployment::start().await;
        let unlisted = RawServer::start(sent_to("/again")).await;
        let status = redirected(&deployment, nesting, &unlisted.origin()).await;
        assert_eq!(status, StatusCode::FOUND, "the limit of FollowRedirect");
        let received = unlisted.received().await;
        assert!(received.contains("GET /again "), "{received}");
        assert!(
            !received.contains("authorization"),
            "{nesting:?} {received}"
        );
    }
}
