//! The check of redirects resolves a `Location` as the `url` crate does, which tower-http uses.

use auth_core::adapter::ResponseHead;
use http::{HeaderValue, StatusCode, header::LOCATION};

use super::*;

const UNLISTED: [&str; 4] = [
    "http://unlisted.example/a/b",
    "https://unlisted.example:8443/",
    "http://api.example.com/",
    "http://[::2]:4000/a?b",
];

/// Prefixes and hosts that a lenient parser reads.
fn location() -> impl Strategy<Value = String> {
    let prefix = select(
        &[
            "",
            " ",
            "\t",
            "//",
            "///",
            "/\\",
            "\\\\",
            "/",
            "http:",
            "https:",
            "https:/",
            "https:\\\\",
            "HTTPS://",
            "ht\ttps://",
            "https://u@",
            "https://u:p@x@",
            "x:",
            "?",
            "#",
            "./",
        ][..],
    );
    let host = select(
        &[
            "api.example.com",
            "API.example.com.",
            "api%2eexample.com",
            "api\u{3002}example.com",
            "xn--bcher-kva.example",
            "b\u{fc}cher.example",
            "BU\u{308}CHER.example",
            "127.0.0.1",
            "0x7f.1",
            "0177.1",
            "2130706433",
            "127.0.0.1.",
            "%3127.1",
            "[::1]",
            "[0::0.0.0.1]",
            "\u{ff41}pi.example.com",
            "ap\u{ad}i.example.com",
            "unlisted.example",
            "xn--api-.example.com",
        ][..],
    );
    let port = select(
        &[
            "", ":", ":443", ":0443", ":4000", ":80", ":8443", ":65536", ":x",
        ][..],
    );
    let path = select(
        &[
            "",
            "/",
            "\\",
            "?x",
            "#x",
            "/@evil.example",
            "@api.example.com",
        ][..],
    );
    let built = (prefix, host, port, path)
        .prop_map(|(prefix, host, port, path)| format!("{prefix}{host}{port}{path}"));
    prop_oneof![3 => built, 1 => almost_listed()]
}

/// Returns whether the hop to which `location` leads would carry a token.
fn hop_carries_token(authorizer: &Authorizer, base: &str, location: &str) -> bool {
    let base: Url = base.parse().unwrap();
    let Ok(hop) = base.join(location) else {
        return false;
    };
    let as_url = authorizes(authorizer, target(&hop));
    let as_uri = String::from(hop).parse::<Uri>();
    as_url || as_uri.is_ok_and(|uri| authorizes(authorizer, Target::from(&uri)))
}

fn authorizes(authorizer: &Authorizer, target: Target<'_>) -> bool {
    let headers = HeaderMap::new();
    let decision = authorizer.authorize(RequestHead::new(target, &headers));
    !matches!(decision, Decision::PassThrough(_))
}

#[test]
fn a_redirect_whose_hop_would_carry_a_token_is_an_error() {
    let authorizer = listed();
    proptest!(ProptestConfig::with_cases(4096), |(base in select(&UNLISTED[..]), location in location())| {
        let Ok(value) = HeaderValue::from_bytes(location.as_bytes()) else {
            return Ok(()); // a line break, which no header contains
        };
        let (request, mut response) = (HeaderMap::new(), HeaderMap::new());
        response.insert(LOCATION, value);
        let uri: Uri = base.parse().unwrap();
        let head = RequestHead::new(&uri, &request);
        let Decision::PassThrough(passing) = authorizer.authorize(head) else {
            panic!("{base} is not listed");
        };
        let passed = authorizer.passed_through(passing, head).unwrap();
        let response = ResponseHead::new(StatusCode::FOUND, &response);
        let outcome = passed.check(&authorizer, response);
        if hop_carries_token(&authorizer, base, &location) {
            prop_assert!(outcome.is_err(), "{base} {location:?}");
        } else if let Err(error) = outcome {
            // more than the hops with a token: what the authorizer cannot compare, what another
            // parser of the URL standard follows, and `http:host`, which was no relative URL once
            let is_unclear = error.to_string().contains("not plain ASCII");
            let is_followed = base.parse::<Url>().unwrap().join(&location).is_ok();
            let is_relative = location.trim_start().to_lowercase().starts_with("http");
            prop_assert!(is_unclear || !is_followed || is_relative, "{base} {location:?}: {error}");
        }
    });
}
