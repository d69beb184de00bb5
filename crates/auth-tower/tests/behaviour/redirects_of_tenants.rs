//! Redirects of unlisted origins in a stack whose requests have tenants: the tenant of a hop is decided
//! anew, by what the client leaves of the request.

use std::{
    convert::Infallible,
    future::ready,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use auth_core::{Authorizer, BoxError, Error, ErrorKind, RequestHead, TokenCache};
use auth_test_support::{
    Deployment, RawServer, get, hyper_clients::hyper_client, scripted::Scripted,
};
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION},
};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt};

use crate::redirects_of_unlisted_origins::{auth_inside, redirecting};
use tower_http::follow_redirect::FollowRedirectLayer;

fn assert_not_followed(outcome: Result<StatusCode, BoxError>, deployment: &Deployment) {
    let error = outcome.expect_err("the redirect was followed");
    let error: &Error = error.downcast_ref().expect("an error of auth-core");
    assert_eq!(error.kind(), ErrorKind::Redirected);
    assert_eq!(deployment.api.request_count(), 0, "{error}");
}

/// Returns an authorizer whose one tenant has the requests that `is_tenant` picks.
fn one_tenant(deployment: &Deployment, is_tenant: fn(&RequestHead<'_>) -> bool) -> Authorizer {
    let authorizer = deployment.authorizer();
    let tenants = Authorizer::per_tenant(
        move |request: &RequestHead<'_>| is_tenant(request).then_some(()),
        move |()| Ok(authorizer.clone()),
    );
    tenants.build().unwrap()
}

#[tokio::test]
async fn a_cookie_that_the_client_drops_does_not_give_the_hop_a_token() {
    let deployment = Deployment::start().await;
    let tenants = one_tenant(&deployment, |request| {
        !request.headers().contains_key(COOKIE)
    });
    let unlisted = redirecting(302, &[&deployment.api.url()]).await;
    let mut request = get(unlisted.origin());
    let cookie = HeaderValue::from_static("session=1");
    request.headers_mut().insert(COOKIE, cookie);
    assert_not_followed(auth_inside(tenants, request).await, &deployment);
}

#[tokio::test]
async fn a_method_that_the_client_changes_does_not_give_the_hop_a_token() {
    for status in [301, 302, 303] {
        let deployment = Deployment::start().await;
        let tenants = one_tenant(&deployment, |request| {
            request.method() == Some(&Method::GET) && !request.headers().contains_key(CONTENT_TYPE)
        });
        let unlisted = redirecting(status, &[&deployment.api.url()]).await;
        let mut request = get(unlisted.origin());
        *request.method_mut() = Method::POST;
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        assert_not_followed(auth_inside(tenants, request).await, &deployment);
    }
}

/// The client keeps the final dot, and writes the address in hexadecimal digits.
#[tokio::test]
async fn a_tenant_that_is_picked_by_a_spelling_of_its_host_gets_no_request_of_an_unlisted_origin() {
    for tenant in [
        "api.example.com",
        "api.example.com.",
        "[::ffff:10.0.0.1]",
        "[::ffff:a00:1]",
    ] {
        let authorizer = Authorizer::builder(TokenCache::new(Scripted::expires_in(600)))
            .origin(format!("https://{tenant}"))
            .build()
            .unwrap();
        let tenants = Authorizer::per_tenant(
            move |request: &RequestHead<'_>| {
                let is_tenant = request.host().is_some_and(|host| host == tenant);
                is_tenant.then_some(())
            },
            move |()| Ok(authorizer.clone()),
        );
        let tokens = Arc::new(AtomicUsize::new(0));
        let sent = tokens.clone();
        let client = ServiceBuilder::new()
            .layer(FollowRedirectLayer::new())
            .layer(AuthLayer::new(tenants.build().unwrap()))
            .service_fn(move |request: Request<Full<Bytes>>| {
                let has_token = request.headers().contains_key(AUTHORIZATION);
                sent.fetch_add(usize::from(has_token), SeqCst);
                let mut response = Response::new(Full::<Bytes>::default());
                if request.uri().host() == Some("unlisted.example") {
                    *response.status_mut() = StatusCode::FOUND;
                    let location = format!("https://{tenant}/admin").parse().unwrap();
                    response.headers_mut().insert(LOCATION, location);
                }
                ready(Ok::<_, Infallible>(response))
            });
        // either the redirect is not followed, or its hop carries no token
        let _ = client.oneshot(get("https://unlisted.example/")).await;
        assert_eq!(tokens.load(SeqCst), 0, "{tenant}");
    }
}

/// The request waits for its tenant's authorizer, which another request creates, and passes through.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_request_that_waited_for_its_tenant_is_checked() {
    let deployment = Deployment::start().await;
    let unlisted = redirecting(302, &[&deployment.api.url()]).await;
    let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (authorizer, enters, leaves) = (deployment.authorizer(), entered.clone(), leave.clone());
    let tenants = Authorizer::per_tenant(
        |_: &RequestHead<'_>| Some(()),
        move |()| {
            enters.wait();
            leaves.wait();
            Ok(authorizer.clone())
        },
    );
    let tenants = tenants.build().unwrap();
    let (first, other) = (tenants.clone(), RawServer::start("").await);
    let request = get(other.origin());
    let first = tokio::spawn(async move { auth_inside(first, request).await.map_err(|_| ()) });
    tokio::task::block_in_place(|| entered.wait());
    let mut second = Box::pin(auth_inside(tenants, get(unlisted.origin())));
    assert!((&mut second).now_or_never().is_none());
    tokio::task::block_in_place(|| leave.wait());
    assert_not_followed(second.await, &deployment);
    let _ = first.await.unwrap();
}

/// A known limit: the response to a request with a token is not checked.
#[tokio::test]
async fn a_redirect_between_the_apis_of_two_tenants_carries_the_token_of_the_second() {
    let deployment = Deployment::start().await;
    let theirs = redirecting(302, &[&deployment.api.url()]).await;
    let (mine, other) = (
        deployment.authorizer(),
        deployment
            .builder()
            .origin(theirs.origin())
            .build()
            .unwrap(),
    );
    let host = deployment.api.url();
    let tenants = Authorizer::per_tenant(
        |request: &RequestHead<'_>| request.origin().map(|origin| origin.to_string()),
        move |origin: &String| match *origin == host {
            true => Ok(mine.clone()),
            false => Ok(other.clone()),
        },
    );
    let outcome = auth_inside(tenants.build().unwrap(), get(theirs.origin())).await;
    assert_eq!(outcome.unwrap(), StatusCode::OK);
    assert_eq!(deployment.authorization.token_requests(), 2);
}

/// The inner layer sees the header of the outer one, which the client drops.
#[tokio::test]
async fn of_two_layers_each_declines_redirects_of_its_own_unlisted_origins() {
    let deployment = Deployment::start().await;
    let theirs = redirecting(302, &[&deployment.api.url()]).await;
    let outer = deployment.builder().origin(theirs.origin()).build();
    let client = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(AuthLayer::new(outer.unwrap()))
        .layer(AuthLayer::new(deployment.authorizer()))
        .service(hyper_client());
    let outcome = client.oneshot(get(theirs.origin())).await;
    assert_not_followed(outcome.map(|response| response.status()), &deployment);
}
