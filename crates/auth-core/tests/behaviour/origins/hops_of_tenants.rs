//! A redirect of an unlisted origin changes more of a request than its URL: the tenant of the hop follows
//! from what is left.

use auth_core::{
    Authorizer, Error, ErrorKind,
    adapter::{Decision, RequestHead, ResponseHead},
};
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION},
};

use super::{API, listed};

const UNLISTED: &str = "https://unlisted.example/a/b";

/// An authorizer with one tenant, which has the requests that `is_tenant` picks.
fn one_tenant(is_tenant: fn(&RequestHead<'_>) -> bool) -> Authorizer {
    let tenants = Authorizer::per_tenant(
        move |request: &RequestHead<'_>| is_tenant(request).then_some(()),
        |()| Ok(listed(API)),
    );
    tenants.build().unwrap()
}

/// Checks the response to a request that passed through: a redirect to the API.
fn redirected(authorizer: &Authorizer, status: u16, request: &Request<()>) -> Result<(), Error> {
    let Decision::PassThrough(passing) = authorizer.authorize(request) else {
        panic!("the origin is not listed");
    };
    let passed = authorizer.passed_through(passing, request).unwrap();
    let location = HeaderValue::from_static(API);
    let headers = HeaderMap::from_iter([(LOCATION, location)]);
    let status = StatusCode::from_u16(status).unwrap();
    passed.check(authorizer, ResponseHead::new(status, &headers))
}

fn assert_declined(authorizer: &Authorizer, status: u16, request: &Request<()>) {
    let error = redirected(authorizer, status, request).expect_err("the hop carries a token");
    assert_eq!(error.kind(), ErrorKind::Redirected);
}

fn post() -> Request<()> {
    Request::post(UNLISTED).body(()).unwrap()
}

/// Clients drop these headers on a hop to another origin.
#[test]
fn without_the_credentials_of_the_request_the_hop_may_have_a_tenant() {
    for header in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
        let authorizer = one_tenant(|request| {
            let credentials = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
            let mut credentials = credentials.iter();
            !credentials.any(|name| request.headers().contains_key(name))
        });
        let mut request = post();
        let own = HeaderValue::from_static("Basic b3duOm93bg==");
        request.headers_mut().insert(header, own);
        assert_declined(&authorizer, 307, &request);
    }
}

/// Clients make a `GET` of it after 301, 302 and 303.
#[test]
fn with_another_method_the_hop_may_have_a_tenant() {
    let authorizer = one_tenant(|request| request.method() == Some(&Method::GET));
    for status in [301, 302, 303] {
        assert_declined(&authorizer, status, &post());
    }
}

/// Clients drop the headers of the body together with the body.
#[test]
fn without_the_content_type_the_hop_may_have_a_tenant() {
    let authorizer = one_tenant(|request| !request.is_grpc());
    let mut request = post();
    let grpc = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert(CONTENT_TYPE, grpc);
    for status in [301, 302, 303] {
        assert_declined(&authorizer, status, &request);
    }
}

/// A policy of the client may remove all headers (tower-http's `FilterCredentials::remove_all`).
#[test]
fn without_any_header_the_hop_may_have_a_tenant() {
    let authorizer = one_tenant(|request| !request.headers().contains_key("x-no-token"));
    let mut request = post();
    let value = HeaderValue::from_static("1");
    request.headers_mut().insert("x-no-token", value);
    assert_declined(&authorizer, 307, &request);
}

/// Several parts change at once.
#[test]
fn with_another_method_and_without_credentials_the_hop_may_have_a_tenant() {
    let authorizer = one_tenant(|request| {
        request.method() == Some(&Method::GET)
            && request.headers().contains_key("x-tenant")
            && !request.headers().contains_key(COOKIE)
            && !request.headers().contains_key(CONTENT_TYPE)
    });
    let mut request = post();
    for name in ["x-tenant", "cookie", "content-type"] {
        let value = HeaderValue::from_static("1");
        request.headers_mut().insert(name, value);
    }
    assert_declined(&authorizer, 302, &request);
}

/// Nothing that a client drops or changes gives this hop a tenant.
#[test]
fn a_hop_that_has_no_tenant_in_any_case_is_followed() {
    let authorizer = one_tenant(|request| request.headers().contains_key("x-tenant"));
    redirected(&authorizer, 302, &post()).unwrap();
}
