use auth_core::{
    Authorizer, Error, Origin, TokenCache, TokenRequest, TokenResponse, TokenSource,
    adapter::{Decision, RequestHead},
};
use http::{HeaderMap, Uri};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

mod redirects;

#[test]
fn redirects_are_classified_by_origin() {
    let requested: Url = "https://api.example/a?b#c".parse().unwrap();
    for (responded, expected) in [
        ("https://api.example/a?b#c", Redirect::None),
        ("https://API.example:443/a?b#d", Redirect::None),
        ("https://api.example/a?b", Redirect::None),
        ("https://api.example:443/b", Redirect::WithinOrigin),
        ("https://api.example/a", Redirect::WithinOrigin),
        ("https://api.example/a?c", Redirect::WithinOrigin),
        ("https://other.example/", Redirect::ToAnotherOrigin),
        ("http://api.example/", Redirect::ToAnotherOrigin),
        ("http://api.example:443/a?b", Redirect::ToAnotherOrigin),
        ("https://api.example:8443/", Redirect::ToAnotherOrigin),
        ("https://api.example./a?b", Redirect::ToAnotherOrigin),
    ] {
        let responded: Url = responded.parse().unwrap();
        assert_eq!(redirect(&requested, &responded), expected, "{responded}");
    }
}

#[derive(Debug)]
struct NoToken;

#[async_trait::async_trait]
impl TokenSource for NoToken {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        Err(Error::configuration("no token is requested here"))
    }
}

const LISTED: [&str; 5] = [
    "https://api.example.com",
    "https://api.example.com:8443",
    "https://xn--bcher-kva.example",
    "http://127.0.0.1",
    "http://[::1]:4000",
];

fn listed() -> Authorizer {
    let builder = Authorizer::builder(TokenCache::new(NoToken)).origins(LISTED);
    builder.build().unwrap()
}

fn any_origin() -> Authorizer {
    let builder = Authorizer::builder(TokenCache::new(NoToken));
    builder.danger_any_origin(true).build().unwrap()
}

/// Returns whether a request of hyper to `url` may carry a token, and whether one of reqwest may.
fn may_carry_token(authorizer: &Authorizer, url: &str) -> (bool, bool) {
    let headers = HeaderMap::new();
    let may = |target: Target<'_>| {
        let decision = authorizer.authorize(RequestHead::new(target, &headers));
        !matches!(decision, Decision::PassThrough(_))
    };
    let as_uri = url.parse().is_ok_and(|uri: Uri| may(Target::from(&uri)));
    let as_url = url.parse().is_ok_and(|url: Url| may(target(&url)));
    (as_uri, as_url)
}

#[test]
fn only_the_listed_origins_get_a_token() {
    let authorizer = listed();
    for (url, expected) in [
        ("https://api.example.com/v1?x=1", (true, true)),
        ("https://api.example.com:443/", (true, true)),
        ("https://api.example.com:/", (true, true)),
        ("https://API.Example.COM/", (true, true)),
        ("https://api.example.com./", (true, true)),
        ("https://API.example.com.:0443/", (true, true)),
        ("https://api.example.com:8443/", (true, true)),
        ("https://xn--bcher-kva.example/", (true, true)),
        ("https://evil.example@api.example.com/", (true, true)),
        ("http://127.0.0.1/", (true, true)),
        ("http://[::1]:4000/", (true, true)),
        ("http://[0:0:0:0:0:0:0:1]:4000/", (true, true)),
        // texts that only a Url normalizes to a listed origin
        ("https://b\u{fc}cher.example/", (false, true)),
        ("http://0x7f.1/", (false, true)),
        ("http://2130706433/", (false, true)),
        ("http://127.0.0.1./", (false, true)),
        ("https://api%2eexample.com/", (false, true)),
        (r"https:\\api.example.com\@evil.example/", (false, true)),
        ("https://api.exa\tmple.com/", (false, true)),
        // texts that are no listed origin for either
        ("http://api.example.com/", (false, false)),
        ("https://api.example.com:8444/", (false, false)),
        ("https://api.example.com:0/", (false, false)),
        ("https://api.example.com:65536/", (false, false)),
        ("https://api.example.com:+443/", (false, false)),
        ("https://api.example.com.evil.example/", (false, false)),
        ("https://api.example.com@evil.example/", (false, false)),
        ("https://api.example.com:443@evil.example/", (false, false)),
        (
            "https://evil.example/https://api.example.com",
            (false, false),
        ),
        ("https://xn--pi-7ia.example.com/", (false, false)),
        ("https://example.com/", (false, false)),
        ("https://\u{430}pi.example.com/", (false, false)),
        ("http://[::ffff:127.0.0.1]:4000/", (false, false)),
        ("http://[::1]x:4000/", (false, false)),
        ("ftp://api.example.com/", (false, false)),
        ("data:api.example.com", (false, false)),
        ("/path/only", (false, false)),
    ] {
        assert_eq!(may_carry_token(&authorizer, url), expected, "{url}");
    }
}

/// Listed origins, with a few characters replaced, inserted or removed.
fn almost_listed() -> impl Strategy<Value = String> {
    let characters: Vec<char> = "aA0x179.:@/\\?#%[]-_*,+ \t\n\u{fc}\u{430}\u{3002}"
        .chars()
        .collect();
    let edit = (any::<prop::sample::Index>(), 0..3_usize, select(characters));
    (select(&LISTED[..]), vec(edit, 0..4), "[a-z0-9@:./]{0,12}").prop_map(|(url, edits, path)| {
        let mut url: Vec<char> = url.chars().collect();
        for (place, kind, c) in edits {
            let place = place.index(url.len());
            match kind {
                0 => url[place] = c,
                1 => url.insert(place, c),
                _ if url.len() > 1 => drop(url.remove(place)),
                _ => {}
            }
        }
        url.into_iter().collect::<String>() + "/" + &path
    })
}

/// A `Url` is normalized and a `Uri` is not. A request to the `Uri` may therefore be sent without a
/// token although a request to the `Url` carries one, but not conversely.
#[test]
fn a_request_to_a_uri_carries_a_token_only_if_one_to_the_url_does() {
    let authorizer = listed();
    proptest!(ProptestConfig::with_cases(4096), |(url in almost_listed())| {
        let (as_uri, as_url) = may_carry_token(&authorizer, &url);
        assert!(as_url || !as_uri, "{url}");
    });
}

/// The same with any origin allowed. A `Uri` does not decode punycode: a host with malformed
/// punycode is an error only for a `Url`.
#[test]
fn with_any_origin_a_request_to_a_uri_carries_a_token_only_if_one_to_the_url_does() {
    let authorizer = any_origin();
    proptest!(ProptestConfig::with_cases(4096), |(url in almost_listed())| {
        let (as_uri, as_url) = may_carry_token(&authorizer, &url);
        let is_bad_punycode = url.parse::<Url>().is_err() && url.to_lowercase().contains("xn--");
        assert!(as_url || !as_uri || is_bad_punycode, "{url}");
    });
}

/// Returns the origin of a URL. The `url` crate keeps the final dot of a name.
fn without_final_dot(url: &Url) -> (String, String, Option<u16>) {
    let host = url.host_str().unwrap_or_default();
    let labels = host.strip_suffix('.').filter(|labels| labels.contains('.'));
    let host = labels.unwrap_or(host).to_owned();
    (url.scheme().to_owned(), host, url.port_or_known_default())
}

/// A token is sent only to listed origins, as the `url` crate parses them.
#[test]
fn a_token_is_sent_to_listed_origins_only() {
    let authorizer = listed();
    let origins = LISTED.map(|origin| without_final_dot(&origin.parse().unwrap()));
    proptest!(ProptestConfig::with_cases(4096), |(url in almost_listed())| {
        if may_carry_token(&authorizer, &url) != (false, false) {
            let url: Url = url.parse().unwrap();
            assert!(origins.contains(&without_final_dot(&url)), "{url}");
        }
    });
}

/// A text that parses as an `Origin` parses as a `Url` with the same origin.
#[test]
fn an_origin_is_the_same_as_a_url() {
    proptest!(ProptestConfig::with_cases(4096), |(url in almost_listed())| {
        let end = url.rfind('/').unwrap_or(url.len());
        let Ok(origin) = url[..end].parse::<Origin>() else {
            return Ok(());
        };
        assert_eq!(origin.to_string().parse::<Origin>().unwrap(), origin);
        let Ok(as_url) = url[..end].parse::<Url>() else {
            assert!(origin.host().contains("xn--"), "{url}");
            return Ok(());
        };
        let normalized: Url = origin.to_string().parse().unwrap();
        assert_eq!(without_final_dot(&normalized), without_final_dot(&as_url));
        assert_eq!(as_url.port_or_known_default(), Some(origin.port()));
    });
}
