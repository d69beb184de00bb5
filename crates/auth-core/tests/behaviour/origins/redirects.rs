//! A redirect of an unlisted origin does not become a request of this client with its token.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    Authorizer, Error, ErrorKind,
    adapter::{Decision, PassedThrough, RequestHead, ResponseHead, Target},
};
use http::{
    HeaderMap, HeaderValue, Request, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION},
};

use super::{API, builder, carries_token, get, listed};

const UNLISTED: &str = "https://unlisted.example/a/b";

fn redirect<'a>(locations: impl IntoIterator<Item = &'a [u8]>) -> HeaderMap {
    let values = locations.into_iter().map(HeaderValue::from_bytes);
    values.map(|value| (LOCATION, value.unwrap())).collect()
}

/// Checks the response to a request that passed through: a redirect to `location`.
fn check<'a>(
    authorizer: &Authorizer,
    request: impl Into<RequestHead<'a>>,
    location: &str,
) -> Result<(), Error> {
    check_all(
        authorizer,
        request,
        StatusCode::FOUND,
        &redirect([location.as_bytes()]),
    )
}

fn check_all<'a>(
    authorizer: &Authorizer,
    request: impl Into<RequestHead<'a>>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), Error> {
    let request = request.into();
    assert!(!carries_token(authorizer, request));
    match passed_through(authorizer, request) {
        Some(passed) => passed.check(authorizer, ResponseHead::new(status, headers)),
        None => Ok(()),
    }
}

/// Returns what the check of the response needs. `None` if the request carries a token, or if no
/// response to it needs the check.
fn passed_through<'a>(
    authorizer: &Authorizer,
    request: impl Into<RequestHead<'a>>,
) -> Option<PassedThrough> {
    let request = request.into();
    match authorizer.authorize(request) {
        Decision::PassThrough(passing) => authorizer.passed_through(passing, request),
        _ => None,
    }
}

#[test]
fn a_redirect_to_any_spelling_of_an_allowed_origin_is_an_error() {
    let allowed = builder().origins([
        API,
        "http://127.0.0.1:4000",
        "https://xn--bcher-kva.example",
    ]);
    let authorizer = allowed.build().unwrap();
    for location in [
        "https://api.example.com",
        "https://api.example.com/admin?delete=all#x",
        "HTTPS://API.example.com:0443/",
        "https://api.example.com./",
        "https://user:pw@api.example.com/",
        "//api.example.com/x",
        " https://api.example.com",
        "https:api.example.com",
        r"https:\\api.example.com\x",
        r"/\api.example.com",
        "///api.example.com",
        "https://api%2Eexample.com/",
        "http://127.0.0.1:4000/",
        "http://0x7f.1:4000/",
        "http://2130706433:4000/",
        "https://XN--bcher-KVA.example/",
        "https://b\u{fc}cher.example/",
        "https://\u{ff41}pi.example.com/",
    ] {
        let error = check(&authorizer, &get(UNLISTED), location).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redirected, "{location}");
        assert!(!error.is_transient(), "{location}");
    }
}

#[test]
fn a_redirect_to_another_unlisted_origin_is_not_an_error() {
    let authorizer = listed(API);
    for location in [
        "/x",
        "",
        "?x",
        "https://unlisted.example/x",
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.example/",
        "https://evil.example/https://api.example.com",
        "https://api.example.com@evil.example/",
        "https://api.example.com:99999/",
        "api.example.com:443",
        "ftp://api.example.com/",
        "https://",
    ] {
        check(&authorizer, &get(UNLISTED), location).unwrap();
    }
}

#[test]
fn the_error_names_both_origins_and_what_to_do_and_no_secret() {
    let request = get("https://user:s3cr3t@Unlisted.example:443/s3cr3t?s3cr3t");
    let location = "https://user:s3cr3t@API.example.com/s3cr3t?s3cr3t";
    let error = check(&listed(API), &request, location)
        .unwrap_err()
        .to_string();
    for part in [
        "https://unlisted.example:",
        "redirect to https://api.example.com;",
        "not followed",
        "its token",
        "FollowRedirect inside AuthLayer",
        "allowed origins",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("s3cr3t"), "{error}");
}

#[test]
fn every_redirect_status_counts_and_no_other_one() {
    let (authorizer, headers) = (listed(API), redirect([API.as_bytes()]));
    for status in (200..600).map(|status| StatusCode::from_u16(status).unwrap()) {
        let outcome = check_all(&authorizer, &get(UNLISTED), status, &headers);
        assert_eq!(outcome.is_err(), status.is_redirection(), "{status}");
    }
}

#[test]
fn each_of_several_locations_counts() {
    let authorizer = listed(API);
    let (here, there) = (&b"/x"[..], API.as_bytes());
    for (locations, is_error) in [
        (&[][..], false),
        (&[here, here], false),
        (&[here, there], true),
        (&[there, here], true),
        (&[b"https://\xff.example"], true),
        (&[b"/\xff"], false),
    ] {
        let headers = redirect(locations.iter().copied());
        let outcome = check_all(&authorizer, &get(UNLISTED), StatusCode::FOUND, &headers);
        assert_eq!(outcome.is_err(), is_error, "{locations:?}");
    }
}

/// The network between may change the response of an `http` origin.
#[test]
fn an_upgrade_from_http_to_an_allowed_https_origin_is_an_error() {
    let authorizer = listed(API);
    assert!(
        check(
            &authorizer,
            &get("http://api.example.com/x"),
            "https://api.example.com/x"
        )
        .is_err()
    );
    assert!(check(&authorizer, &get("http://api.example.com/x"), "/x").is_ok());
}

/// A client removes the header when a redirect leads to another origin, and the hop would carry the
/// token instead.
#[test]
fn an_authorization_header_of_the_caller_makes_no_difference() {
    let authorizer = listed(API);
    let with_own = |uri| {
        let mut request = get(uri);
        let own = HeaderValue::from_static("Basic b3duOm93bg==");
        request.headers_mut().insert(AUTHORIZATION, own);
        request
    };
    assert!(check(&authorizer, &with_own(UNLISTED), API).is_err());
    // an allowed origin may redirect
    assert!(check(&authorizer, &with_own(API), "/x").is_ok());
}

#[test]
fn a_redirect_among_allowed_origins_is_not_checked() {
    let both = builder().origins([API, "https://files.example.com"]);
    let authorizer = both.build().unwrap();
    assert!(passed_through(&authorizer, &get(API)).is_none());
    assert!(passed_through(&authorizer, &get("https://files.example.com")).is_none());
    assert!(passed_through(&authorizer, &get(UNLISTED)).is_some());
}

#[test]
fn with_any_origin_there_is_no_unlisted_one() {
    let any = builder().danger_any_origin(true).build().unwrap();
    for uri in [UNLISTED, "http://unlisted.example/"] {
        assert!(passed_through(&any, &get(uri)).is_none());
    }
}

/// Another host than the allowed one may have answered.
#[test]
fn a_redirect_of_the_host_in_a_host_header_is_an_error() {
    let mut request = get(API);
    let host = HeaderValue::from_static("evil.example");
    request.headers_mut().insert(HOST, host);
    assert!(check(&listed(API), &request, "/admin").is_err());
    assert!(check(&listed(API), &request, "https://evil.example/").is_ok());
}

#[test]
fn a_redirect_over_a_channel_whose_destination_is_not_known_is_an_error() {
    let grpc = |uri: &str| {
        let mut request = get(uri);
        let kind = HeaderValue::from_static("application/grpc");
        request.headers_mut().insert(CONTENT_TYPE, kind);
        request
    };
    let authorizer = listed(API);
    // the hop may be no gRPC request any more: 303 drops the content type
    assert!(
        check(
            &authorizer,
            &grpc("https://api.example.com/pkg.S/M"),
            "/admin"
        )
        .is_err()
    );
    assert!(
        check(
            &authorizer,
            &grpc("/pkg.S/M"),
            "https://api.example.com/admin"
        )
        .is_err()
    );
    assert!(check(&authorizer, &grpc("/pkg.S/M"), "//api.example.com/admin").is_err());
    assert!(check(&authorizer, &grpc("/pkg.S/M"), "/admin").is_ok());

    let endpoint = Uri::from_static(API);
    let channel = authorizer.for_channel(&endpoint).unwrap();
    assert!(passed_through(&channel, &grpc("/pkg.S/M")).is_none());
    let trusted = builder()
        .origin(API)
        .danger_trust_channel(true)
        .build()
        .unwrap();
    assert!(passed_through(&trusted, &grpc("/pkg.S/M")).is_none());
    // hyper's client connects by the URI
    assert!(check(&trusted, &get(UNLISTED), API).is_err());
}

#[test]
fn the_parts_of_a_url_are_kept_for_the_check() {
    let (authorizer, headers) = (listed(API), HeaderMap::new());
    let target = Target::from_parts("http", "api.example.com", Some(443));
    let request = RequestHead::new(target, &headers);
    let error = check(&authorizer, request, API).unwrap_err().to_string();
    assert!(error.contains("http://api.example.com:443"), "{error}");
    assert!(check(&authorizer, request, "/x").is_ok());
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Tenant(&'static str);

/// Tenants by the request's extension, or else by the host.
fn tenants() -> Authorizer {
    let tenants = Authorizer::per_tenant(
        |request: &RequestHead<'_>| {
            let by_host = || match &*request.host()? {
                "by-host.example" => Some(Tenant("by-host")),
                _ => None,
            };
            request.extension().cloned().or_else(by_host)
        },
        |Tenant(name): &Tenant| match *name {
            "any" => builder().danger_any_origin(true).build(),
            name => Ok(listed(&format!("https://{name}.example"))),
        },
    );
    tenants.build().unwrap()
}

fn of(tenant: &'static str, uri: &str) -> Request<()> {
    let mut request = get(uri);
    request.extensions_mut().insert(Tenant(tenant));
    request
}

#[test]
fn a_redirect_to_the_api_of_a_tenant_is_an_error_for_its_requests() {
    let authorizer = tenants();
    let tenant = || of("one", UNLISTED);
    assert!(check(&authorizer, &tenant(), "https://one.example/x").is_err());
    assert!(check(&authorizer, &tenant(), "https://two.example/x").is_ok());
    assert!(check(&authorizer, &tenant(), "/x").is_ok());
    assert!(check(&authorizer, &tenant(), "https://\u{ff4f}ne.example/x").is_err());
    // the client drops the extension, and the host then decides about the tenant
    assert!(check(&authorizer, &tenant(), "https://by-host.example/x").is_err());
    assert!(check(&authorizer, &get(UNLISTED), "https://by-host.example/x").is_err());
    assert!(
        check(
            &authorizer,
            &get(UNLISTED),
            "https://\u{ff42}y-host.example/x"
        )
        .is_err()
    );
    assert!(check(&authorizer, &get(UNLISTED), "https://one.example/x").is_ok());
}

/// Returns what the check of the response needs, for a request whose tenant changed since it passed
/// through.
fn of_tenant(authorizer: &Authorizer, request: &Request<()>) -> PassedThrough {
    let Decision::PassThrough(passing) = authorizer.authorize(&get(UNLISTED)) else {
        panic!("the request has no tenant");
    };
    authorizer.passed_through(passing, request).unwrap()
}

#[test]
fn a_tenant_with_any_origin_has_no_such_error() {
    let authorizer = tenants();
    let headers = redirect([&b"https://one.example"[..]]);
    let passed = of_tenant(&authorizer, &of("any", "http://unlisted.example"));
    let response = ResponseHead::new(StatusCode::FOUND, &headers);
    passed.check(&authorizer, response).unwrap();
}

#[test]
fn the_check_logs_nothing_and_requests_no_token() {
    let authorizer = tenants();
    let passed = of_tenant(&authorizer, &of("one", UNLISTED));
    let headers = redirect([&b"https://one.example"[..]]);
    let response = ResponseHead::new(StatusCode::FOUND, &headers);
    let (log, _guard) = crate::captured_log::CapturedLog::start();
    assert!(passed.check(&authorizer, response).is_err());
    assert_eq!(log.text(), "");
}

/// What the first examination found decides: another request would be found to need no check.
#[test]
fn a_request_is_examined_once() {
    let authorizer = listed(API);
    let Decision::PassThrough(passing) = authorizer.authorize(&get(UNLISTED)) else {
        panic!("the origin is not listed");
    };
    assert!(authorizer.passed_through(passing, &get(API)).is_some());

    let looked = Arc::new(AtomicUsize::new(0));
    let count = looked.clone();
    let tenants = Authorizer::per_tenant(
        move |_: &RequestHead<'_>| {
            count.fetch_add(1, SeqCst);
            Some(Tenant("one"))
        },
        |_: &Tenant| Ok(listed(API)),
    );
    let authorizer = tenants.build().unwrap();
    let passed = passed_through(&authorizer, &get(UNLISTED)).unwrap();
    let response = HeaderMap::new();
    let response = ResponseHead::new(StatusCode::OK, &response);
    passed.check(&authorizer, response).unwrap();
    assert_eq!(looked.load(SeqCst), 1);
}
