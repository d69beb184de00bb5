//! A request whose `Host` header names another authority than its URI carries no token.

use auth_core::{
    Authorizer,
    adapter::{RequestHead, Target},
};
use http::{HeaderMap, HeaderValue, Request, Uri, header::HOST};

use super::{API, builder, carries_token, get, listed};
use crate::captured_log::CapturedLog;

fn with_hosts<'a>(uri: &str, hosts: impl IntoIterator<Item = &'a [u8]>) -> Request<()> {
    let mut request = get(uri);
    for host in hosts {
        let host = HeaderValue::from_bytes(host).unwrap();
        request.headers_mut().append(HOST, host);
    }
    request
}

fn with_host(uri: &str, host: &str) -> Request<()> {
    with_hosts(uri, [host.as_bytes()])
}

/// Hosts that name the authority of the URI.
const SAME: [(&str, &str); 12] = [
    ("https://api.example.com/", "api.example.com"),
    ("https://api.example.com/", "API.Example.com"),
    ("https://api.example.com/", "api.example.com:443"),
    ("https://api.example.com/", "api.example.com:0443"),
    ("https://api.example.com/", "api.example.com:"),
    ("https://api.example.com/", "api.example.com."),
    ("https://api.example.com/", " api.example.com\t"),
    ("https://api.example.com:443/", "api.example.com"),
    ("https://api.example.com./", "api.example.com"),
    ("https://user@api.example.com/", "api.example.com"),
    ("http://127.0.0.1:4000/", "127.0.0.1:4000"),
    ("http://[::1]:4000/", "[0:0:0:0:0:0:0:1]:4000"),
];

/// Hosts that name another authority, or that cannot be read.
const OTHER: [(&str, &str); 20] = [
    ("https://api.example.com/", "evil.example"),
    ("https://api.example.com/", "api.example.com.evil.example"),
    ("https://api.example.com/", "example.com"),
    ("https://api.example.com/", "api.example.com:80"),
    ("https://api.example.com/", "api.example.com:8443"),
    ("https://api.example.com/", "api.example.com:65979"),
    ("https://api.example.com/", "api.example.com:+443"),
    ("https://api.example.com/", ""),
    ("https://api.example.com/", ":443"),
    ("https://api.example.com/", "api.example.com, evil.example"),
    (
        "https://api.example.com/",
        "api.example.com,api.example.com",
    ),
    ("https://api.example.com/", "api.example.com evil.example"),
    ("https://api.example.com/", "user@api.example.com"),
    ("https://user@api.example.com/", "user@api.example.com"),
    ("https://api.example.com/", "https://api.example.com"),
    ("https://api.example.com/", "api.example.com/"),
    ("https://api.example.com/", "api%2eexample.com"),
    ("https://api.example.com/", "api.example.com.."),
    ("http://127.0.0.1:4000/", "0x7f.1:4000"),
    ("http://127.0.0.1:4000/", "localhost:4000"),
];

fn authorizer() -> Authorizer {
    let list = builder().origins([API, "http://127.0.0.1:4000", "http://[::1]:4000"]);
    list.build().unwrap()
}

#[test]
fn a_host_header_that_names_the_authority_of_the_uri_changes_nothing() {
    for (uri, host) in SAME {
        assert!(
            carries_token(&authorizer(), &with_host(uri, host)),
            "{uri} {host:?}"
        );
    }
}

#[test]
fn a_host_header_that_names_another_authority_costs_the_token() {
    let any = builder().danger_any_origin(true).build().unwrap();
    for (uri, host) in OTHER {
        let request = with_host(uri, host);
        assert!(!carries_token(&authorizer(), &request), "{uri} {host:?}");
        assert!(!carries_token(&any, &request), "any: {uri} {host:?}");
    }
    for unreadable in [
        &b"api.example.com\xff"[..],
        "b\u{fc}cher.example".as_bytes(),
    ] {
        assert!(!carries_token(
            &authorizer(),
            &with_hosts(API, [unreadable])
        ));
    }
}

/// A server may read either line.
#[test]
fn each_of_several_host_headers_counts() {
    let (own, other) = (&b"api.example.com"[..], &b"evil.example"[..]);
    assert!(carries_token(&authorizer(), &with_hosts(API, [own, own])));
    for hosts in [[own, other], [other, own], [other, other]] {
        assert!(!carries_token(&authorizer(), &with_hosts(API, hosts)));
    }
}

#[test]
fn the_parts_of_a_url_are_compared_with_the_host_header() {
    for (host, expected) in [("api.example.com:443", true), ("evil.example", false)] {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        let target = Target::from_parts("https", "api.example.com", None);
        let head = RequestHead::new(target, &headers);
        assert_eq!(carries_token(&authorizer(), head), expected, "{host}");
    }
}

/// The connection goes to the origin of the channel, whatever the request's URI says.
#[test]
fn over_a_channel_the_host_header_has_to_name_the_origin_of_the_channel() {
    let endpoint = Uri::from_static("https://api.example.com");
    let other = "https://other.example.com";
    let list = builder().origins([API, other]).build().unwrap();
    let channel = list.for_channel(&endpoint).unwrap();
    for (uri, host, expected) in [
        ("/pkg.Service/Method", "api.example.com", true),
        ("/pkg.Service/Method", "API.example.com:443", true),
        ("/pkg.Service/Method", "other.example.com", false),
        ("/pkg.Service/Method", "evil.example", false),
        ("https://api.example.com/", "api.example.com", true),
        ("https://api.example.com/", "other.example.com", false),
        ("https://other.example.com/", "other.example.com", false),
        ("https://other.example.com/", "api.example.com", false),
    ] {
        assert_eq!(
            carries_token(&channel, &with_host(uri, host)),
            expected,
            "{uri} {host}"
        );
    }
}

/// The origin of a trusted channel is not known: the header has to name an allowed one.
#[test]
fn over_a_trusted_channel_the_host_header_of_a_path_has_to_name_an_allowed_origin() {
    let list = builder().origins([API, "http://127.0.0.1:4000"]);
    let trusted = list.danger_trust_channel(true).build().unwrap();
    let any = builder().danger_any_origin(true).danger_trust_channel(true);
    let any = any.build().unwrap();
    for (host, expected) in [
        ("api.example.com", true),
        ("127.0.0.1:4000", true),
        ("127.0.0.1:4001", false),
        ("evil.example", false),
        ("", false),
    ] {
        let request = with_host("/pkg.Service/Method", host);
        assert_eq!(carries_token(&trusted, &request), expected, "{host}");
    }
    assert!(carries_token(
        &any,
        &with_host("/pkg.Service/Method", "evil.example")
    ));
    assert!(!carries_token(
        &any,
        &with_host("/pkg.Service/Method", "a b")
    ));
    assert!(!carries_token(
        &listed(API),
        &with_host("/only/a/path", "api.example.com")
    ));
}

#[test]
fn each_tenants_authorizer_checks_the_host_header() {
    let tenants = Authorizer::per_tenant(|_: &RequestHead<'_>| Some(7), |_: &u8| Ok(listed(API)));
    let tenants = tenants.build().unwrap();
    assert!(carries_token(&tenants, &with_host(API, "api.example.com")));
    assert!(!carries_token(&tenants, &with_host(API, "evil.example")));
}

#[test]
fn the_warning_is_logged_once_for_each_origin() {
    let (log, _guard) = CapturedLog::start();
    let authorizer = authorizer();
    for i in 0..1000 {
        let host = format!("s3cr3t-{i}.evil.example");
        assert!(!carries_token(&authorizer, &with_host(API, &host)));
        let spelling = "HTTPS://API.example.com:443/v1";
        assert!(!carries_token(&authorizer, &with_host(spelling, "\"\\")));
    }
    assert!(!carries_token(
        &authorizer,
        &with_host("http://[::1]:4000", "a b")
    ));
    let log = log.text();
    assert_eq!(log.matches("WARN").count(), 2, "{log}");
    assert!(
        log.contains("its Host header names another authority"),
        "{log}"
    );
    assert!(log.contains("https://api.example.com"), "{log}");
    assert!(log.contains("s3cr3t-0.evil.example"), "{log}");
    assert!(log.contains("http://[::1]:4000"), "{log}");
}

/// Requests to unlisted origins do not use up the lines of this warning, nor the other way round.
#[test]
fn the_warnings_are_bounded_and_the_last_one_says_so() {
    let (log, _guard) = CapturedLog::start();
    let any = builder().danger_any_origin(true).build().unwrap();
    for i in 0..1000 {
        let uri = format!("https://{i}.example.com/");
        assert!(!carries_token(&any, &with_host(&uri, "evil.example")));
        assert!(!carries_token(
            &any,
            &get(&format!("http://{i}.example.com/"))
        ));
    }
    let log = log.text();
    for kind in ["its Host header names", "its destination is not among"] {
        assert_eq!(log.matches(kind).count(), 64, "{log}");
    }
    assert_eq!(log.matches("are not logged").count(), 2, "{log}");
}
