//! Both sides of each comparison of origins are normalized in one way.

use auth_core::{
    Authorizer, ErrorKind, Origin, TokenCache,
    adapter::{RequestHead, Target},
};
use http::{HeaderMap, Request, Uri};

use super::{builder, carries_token, get, listed};
use crate::bound_origins::{ByScope, scope, sent};

/// Spellings of one origin each. The clients connect to the same address for each of them.
const ONE_ORIGIN: [&[&str]; 6] = [
    &[
        "https://api.example.com",
        "https://API.Example.COM",
        "HTTPS://api.example.com",
        "https://api.example.com:443",
        "https://api.example.com:0443",
        "https://api.example.com:",
        "https://api.example.com.",
        "https://API.EXAMPLE.com.:00443",
    ],
    &[
        "http://[::1]",
        "http://[0:0:0:0:0:0:0:1]",
        "http://[0000:0000:0000:0000:0000:0000:0000:0001]:80",
        "http://[::0.0.0.1]:080",
        "http://[0::1]:",
    ],
    &[
        "https://[2001:db8::a]",
        "https://[2001:DB8::A]",
        "https://[2001:0db8:0:0:0:0:0:a]:443",
        "https://[2001:db8::0.0.0.10]",
    ],
    &[
        "https://[::ffff:192.0.2.1]",
        "https://[::FFFF:C000:0201]",
        "https://[0:0:0:0:0:ffff:192.0.2.1]",
    ],
    &[
        "http://127.0.0.1",
        "http://127.0.0.1:80",
        "http://127.0.0.1:",
    ],
    &[
        "https://xn--bcher-kva.example",
        "https://XN--BCHER-KVA.example.",
        "https://xn--Bcher-kva.EXAMPLE:443",
    ],
];

/// Origins that resemble each other. A resolver, or a client, may connect elsewhere for each.
const OTHER_ORIGINS: [(&str, &str); 12] = [
    ("https://api.example.com", "http://api.example.com"),
    ("https://api.example.com", "https://api.example.com:80"),
    ("https://api.example.com", "https://api.example.com:4430"),
    ("https://xn--bcher-kva.example", "https://bcher-kva.example"),
    // the search list of the resolver applies to a single label, and to no name with a final dot
    ("http://localhost", "http://localhost."),
    ("https://intranet", "https://intranet."),
    // the resolver reads no address here
    ("http://127.0.0.1", "http://127.0.0.1."),
    // the resolver reads these as addresses of the API, and the authorizer never does
    ("http://127.0.0.1", "http://0x7f.1"),
    ("http://127.0.0.1", "http://2130706433"),
    ("http://127.0.0.1", "http://0177.0.0.01"),
    ("http://127.0.0.1", "http://[::ffff:127.0.0.1]"),
    ("http://[::1]", "http://[::1%25lo]"),
];

fn paths(origin: &str) -> [String; 2] {
    [origin.to_owned(), format!("{origin}/v1?x=1")]
}

fn request_target(uri: &str) -> Option<Request<()>> {
    Request::get(uri).body(()).ok()
}

#[test]
fn spellings_of_an_origin_are_equal_and_displayed_alike() {
    for group in ONE_ORIGIN {
        let origins: Vec<Origin> = group.iter().map(|text| text.parse().unwrap()).collect();
        for origin in &origins {
            assert_eq!(origin, &origins[0]);
            assert_eq!(origin.to_string(), origins[0].to_string());
            assert_eq!(origin.host(), origins[0].host());
        }
    }
}

#[test]
fn a_request_to_any_spelling_of_an_allowed_origin_carries_the_token() {
    for group in ONE_ORIGIN {
        for spelling in group {
            let authorizer = listed(spelling);
            for requested in group.iter().copied().flat_map(paths) {
                assert!(
                    carries_token(&authorizer, &get(&requested)),
                    "{spelling} lists {requested}"
                );
            }
        }
    }
}

#[test]
fn a_request_to_an_origin_that_only_resembles_an_allowed_one_carries_no_token() {
    for (one, other) in OTHER_ORIGINS {
        for (allowed, requested) in [(one, other), (other, one)] {
            let list = builder().origin(allowed).danger_allow_http(true);
            let (Ok(authorizer), Some(request)) = (list.build(), request_target(requested)) else {
                continue; // a spelling that is an error where it is listed, or for the client
            };
            assert!(
                !carries_token(&authorizer, &request),
                "{allowed} lists {requested}"
            );
        }
    }
}

/// Connectors recognize a scheme by its exact spelling: hyper-tls connects in plain text for
/// `HTTPS`. `http::Uri` parses the scheme of a text without regard to case, and keeps the case of a
/// scheme that is set by itself.
#[test]
fn a_scheme_that_connectors_do_not_recognize_carries_no_token() {
    let authorizer = listed("https://api.example.com");
    let uri = |scheme| {
        let uri = Uri::builder().scheme(scheme).authority("api.example.com");
        uri.path_and_query("/").build().unwrap()
    };
    for (scheme, expected) in [("https", true), ("HTTPS", false), ("Https", false)] {
        let request = Request::get(uri(scheme)).body(()).unwrap();
        assert_eq!(carries_token(&authorizer, &request), expected, "{scheme}");
    }
}

#[test]
fn the_parts_of_a_url_are_compared_like_a_uri() {
    let (authorizer, headers) = (listed("https://api.example.com."), HeaderMap::new());
    for (host, port) in [
        ("api.example.com", None),
        ("API.example.com.", Some(443)),
        ("api.example.com.", None),
    ] {
        let target = Target::from_parts("HTTPS", host, port);
        assert!(
            carries_token(&authorizer, RequestHead::new(target, &headers)),
            "{host}"
        );
    }
}

#[test]
fn spellings_of_one_origin_with_two_token_requests_are_an_error() {
    for group in ONE_ORIGIN {
        for spelling in &group[1..] {
            let list = builder().origin_with(group[0], scope("a"));
            let error = list.origin_with(*spelling, scope("b")).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains("two"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_token_request_is_bound_to_all_spellings_of_its_origin() {
    for group in ONE_ORIGIN {
        for spelling in group {
            let bound = Authorizer::builder(TokenCache::new(ByScope));
            let bound = bound
                .origin("https://other.example")
                .origin_with(*spelling, scope("orders"));
            let authorizer = bound.build().unwrap();
            for requested in group.iter().copied().flat_map(paths) {
                let token = sent(&authorizer, &requested, None).await;
                assert_eq!(token, "orders", "{requested}");
            }
        }
    }
}

#[test]
fn the_endpoint_of_a_channel_may_be_written_in_any_spelling() {
    for group in ONE_ORIGIN {
        for spelling in group {
            for endpoint in group {
                let endpoint: Uri = endpoint.parse().unwrap();
                assert!(
                    listed(spelling).for_channel(&endpoint).is_ok(),
                    "{endpoint}"
                );
            }
        }
    }
    for (one, other) in OTHER_ORIGINS {
        let list = builder()
            .origin(one)
            .danger_allow_http(true)
            .build()
            .unwrap();
        if let Ok(endpoint) = other.parse::<Uri>() {
            assert!(list.for_channel(&endpoint).is_err(), "{endpoint}");
        }
    }
}

#[test]
fn a_tenant_can_be_chosen_by_the_normalized_origin() {
    let tenants = Authorizer::per_tenant(
        |request: &RequestHead<'_>| request.origin(),
        |origin: &Origin| Ok(listed(&origin.to_string())),
    );
    let tenants = tenants.max_capacity(1).build().unwrap();
    for spelling in ONE_ORIGIN[0] {
        assert!(
            carries_token(&tenants, &get(&format!("{spelling}/"))),
            "{spelling}"
        );
    }
}

#[test]
fn an_origin_that_is_not_ascii_is_an_error_that_asks_for_punycode() {
    for text in [
        "https://b\u{fc}cher.example",
        "https://\u{ff41}pi.example.com",
        "https://api\u{3002}example.com",
        "https://api.example.com\u{2e}\u{ff0e}",
    ] {
        for list in [builder().origin(text), builder().origin_of(text)] {
            let error = list.build().unwrap_err().to_string();
            assert!(error.contains("punycode form (xn--"), "{error}");
        }
    }
}
