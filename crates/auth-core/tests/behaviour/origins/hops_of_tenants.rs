//! A redirect of an unlisted origin changes more of a request than its URL: the tenant of the hop follows
//! from what is left.

use std::sync::Mutex;

use auth_core::{
    Authorizer, Error, ErrorKind,
    adapter::{Decision, RequestHead, ResponseHead, Target},
};
use auth_test_support::secs;
use auth_testing::ManualClock;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, PROXY_AUTHORIZATION},
};

use super::{API, builder, carries_token, get, listed};

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
    redirected_to(API, authorizer, status, request)
}

fn redirected_to(
    location: &str,
    authorizer: &Authorizer,
    status: u16,
    request: &Request<()>,
) -> Result<(), Error> {
    let Decision::PassThrough(passing) = authorizer.authorize(request) else {
        panic!("the origin is not listed");
    };
    let passed = authorizer.passed_through(passing, request).unwrap();
    let location = HeaderValue::from_bytes(location.as_bytes()).unwrap();
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

/// Spellings of three hosts, each written in a way of its own by a client that follows redirects.
const SPELLINGS: [&str; 12] = [
    "api.example.com",
    "API.example.com",
    "api.example.com.",
    "API.EXAMPLE.com.",
    "orders.shop.svc.cluster.local",
    "orders.shop.svc.cluster.local.",
    "[::ffff:10.0.0.1]",
    "[::ffff:a00:1]",
    "[::FFFF:A00:1]",
    "[0:0:0:0:0:ffff:10.0.0.1]",
    "[2001:db8:0:0:1::1]",
    "[2001:db8::1:0:0:1]",
];

/// The check sees the host of a `Location` in its normalized form, and the hop has it as the client
/// writes it.
#[test]
fn whichever_spelling_of_a_host_picks_the_tenant_the_hop_carries_no_token() {
    for tenant in SPELLINGS {
        let authorizer = listed(&format!("https://{tenant}"));
        let tenants = Authorizer::per_tenant(
            move |request: &RequestHead<'_>| {
                let is_tenant = request.host().is_some_and(|host| host == tenant);
                is_tenant.then_some(())
            },
            move |()| Ok(authorizer.clone()),
        );
        let tenants = tenants.build().unwrap();
        for hop in SPELLINGS {
            let hop = format!("https://{hop}/admin");
            let is_declined = redirected_to(&hop, &tenants, 302, &get(UNLISTED)).is_err();
            assert!(
                is_declined || !carries_token(&tenants, &get(&hop)),
                "tenant of {tenant}: {hop}"
            );
        }
    }
}

#[test]
fn the_tenant_function_sees_one_host_for_all_spellings() {
    let headers = HeaderMap::new();
    for (normalized, spellings) in [
        ("api.example.com", &SPELLINGS[..4]),
        ("orders.shop.svc.cluster.local", &SPELLINGS[4..6]),
        ("[::ffff:10.0.0.1]", &SPELLINGS[6..10]),
        ("[2001:db8::1:0:0:1]", &SPELLINGS[10..]),
        // the dot changes a name of one label
        ("localhost.", &["localhost.", "LOCALHOST."]),
        ("localhost", &["localhost", "LocalHost"]),
        ("127.0.0.1", &["127.0.0.1"]),
        // malformed hosts belong to no origin
        ("0X7f.1", &["0X7f.1"]),
    ] {
        for spelling in spellings {
            let uri: Uri = format!("https://user@{spelling}:8443/x").parse().unwrap();
            let head = RequestHead::new(&uri, &headers);
            assert!(
                head.host().is_some_and(|host| host == normalized),
                "{spelling}: {:?}",
                head.host()
            );
            let target = Target::from_parts("https", spelling, None);
            let head = RequestHead::new(target, &headers);
            assert!(
                head.host().is_some_and(|host| host == normalized),
                "{spelling}: {:?}",
                head.host()
            );
        }
    }
    let path = Uri::from_static("/pkg.Service/Method");
    assert!(RequestHead::new(&path, &headers).host().is_none());
}

/// A host that cannot be compared may be that of any tenant, and not only that of the tenants which the
/// host of the request has.
#[test]
fn a_hop_to_an_unclear_host_may_have_another_tenant_than_the_request() {
    let mine = || builder().danger_any_origin(true).build();
    let tenants = Authorizer::per_tenant(
        |request: &RequestHead<'_>| request.origin().map(|origin| origin.to_string()),
        move |origin: &String| match origin.as_str() {
            "https://unlisted.example" => mine(),
            origin => Ok(listed(origin)),
        },
    );
    let tenants = tenants.build().unwrap();
    let mut request = get(UNLISTED);
    let own = HeaderValue::from_static("Basic b3duOm93bg==");
    request.headers_mut().insert(AUTHORIZATION, own);
    for location in [
        "https://xn--bcher-kva.example/",
        "https://b\u{fc}cher.example/",
    ] {
        let error = redirected_to(location, &tenants, 302, &request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redirected, "{location}");
    }
}

/// Returns an authorizer that has one tenant, with the requests of the API, and whose function returns
/// these outcomes in turn.
fn in_turn(clock: &ManualClock, outcomes: impl IntoIterator<Item = Outcome>) -> Authorizer {
    let outcomes = Mutex::new(Vec::from_iter(outcomes));
    let tenants = Authorizer::per_tenant(
        |request: &RequestHead<'_>| (request.host()? == "api.example.com").then_some(()),
        move |()| {
            let outcome = outcomes.lock().unwrap().remove(0);
            outcome()
        },
    );
    tenants.clock(clock.clone()).build().unwrap()
}

type Outcome = fn() -> Result<Authorizer, Error>;

fn fails() -> Result<Authorizer, Error> {
    let reason = "the registry of tenants is down";
    Err(Error::new(ErrorKind::Connection, reason))
}

fn is_not_configured() -> Result<Authorizer, Error> {
    Err(Error::configuration("no such tenant"))
}

fn panics() -> Result<Authorizer, Error> {
    panic!("the registry of tenants is down")
}

fn succeeds() -> Result<Authorizer, Error> {
    Ok(listed(API))
}

/// The client may send the hop later: it waits for a permit, or is retried.
#[test]
fn a_tenants_function_that_fails_in_the_check_may_succeed_for_the_hop() {
    let failures: [Outcome; 3] = [fails, is_not_configured, panics];
    for failure in failures {
        let clock = ManualClock::new();
        let authorizer = in_turn(&clock, [failure, succeeds]);
        assert_declined(&authorizer, 302, &get(UNLISTED));
        // the failure is remembered
        assert_declined(&authorizer, 302, &get(UNLISTED));
        clock.advance(secs(2));
        assert!(carries_token(&authorizer, &get(API)), "the hop");
    }
}

/// A tenant's authorizer that is dropped is made again, and may then permit the channel.
#[test]
fn a_tenant_that_does_not_permit_the_channel_may_permit_it_for_the_hop() {
    let clock = ManualClock::new();
    let authorizer = in_turn(&clock, [|| Ok(listed("https://other.example")), succeeds]);
    let endpoint = Uri::from_static(API);
    let authorizer = authorizer.for_channel(&endpoint).unwrap();
    assert_declined(&authorizer, 302, &get(UNLISTED));
    clock.advance(secs(4 * 3600));
    assert!(carries_token(&authorizer, &get(API)), "the hop");
}
