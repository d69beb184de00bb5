use std::hash::{BuildHasher, RandomState};

use http::{HeaderValue, Uri};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{host::Host, *};
use crate::Error;

fn origins(listed: &[&str]) -> AllowedOrigins {
    let listed = listed.iter().map(|text| text.parse().unwrap());
    AllowedOrigins::new(listed.collect(), false, false).unwrap()
}

fn allowed(text: &str) -> Result<AllowedOrigins, Error> {
    AllowedOrigins::new(vec![text.parse()?], false, false)
}

fn error(text: &str) -> String {
    allowed(text).unwrap_err().to_string()
}

/// Returns whether a request of hyper to `uri` may carry a token.
fn may_carry_token(origins: &AllowedOrigins, uri: &str) -> bool {
    uri.parse::<Uri>().is_ok_and(|uri| {
        let destination = Target::from(&uri).destination;
        destination.is_some_and(|destination| origins.find(&destination).is_some())
    })
}

#[test]
fn an_origin_is_a_scheme_a_host_and_optionally_a_port() {
    for good in [
        "https://api.example.com",
        "https://api.example.com/",
        "https://API.example.com:8443",
        "https://xn--bcher-kva.example",
        "https://a_b.example",
        "https://api.example.com.",
        "https://api.example.com:",
        "http://127.0.0.1:4000",
        "http://[::1]:4000",
        "http://[0:0:0:0:0:0:0:1]:4000",
        "http://localhost:4000",
    ] {
        origins(&[good]);
    }
    assert!(error("api.example.com").contains("without a scheme"));
    assert!(error("ftp://api.example.com").contains("scheme ftp"));
    assert!(error("https://api.example.com/v1").contains("more than scheme, host and port"));
    assert!(error("https://api.example.com?x").contains("more than"));
    assert!(error("https://api.example.com/#").contains("more than"));
    assert!(error("http://api.example.com").contains("not loopback"));
    assert!(error("https://*.example.com").contains("wildcard"));
    let with_secret = error("https://id:s3cr3t@api.example.com");
    assert!(with_secret.contains("credentials") && !with_secret.contains("s3cr3t"));
    let none = AllowedOrigins::new(Vec::new(), false, false).unwrap_err();
    assert!(none.to_string().contains("at least one"), "{none}");
}

#[test]
fn a_text_that_only_a_lenient_parser_completes_is_an_error() {
    for (text, what) in [
        ("https:/api.example.com", "without //"),
        ("https:api.example.com", "without //"),
        (r"https:\\api.example.com", "without //"),
        ("https://", "host is empty"),
        ("https:///api.example.com", "host is empty"),
        ("https://:443", "host is empty"),
        (" https://api.example.com", "space"),
        ("https://api.example.com ", "space"),
        ("https://api.exa\tmple.com", "control character"),
        ("https://api.example.com\n", "control character"),
        (r"https://api.example.com\", "'\\\\'"),
        (r"https://api.example.com\@evil.example", "credentials"),
        ("https://@api.example.com", "credentials"),
        ("https://api.example.com:0", "port"),
        ("https://api.example.com:65536", "port"),
        ("https://api.example.com:+443", "port"),
        ("https://api.example.com:443:443", "port"),
        ("https://api.example.com:https", "port"),
        ("https://api%2eexample.com", "percent-encoded"),
        ("https://%61pi.example.com", "percent-encoded"),
        ("https://api..example.com", "two dots"),
        ("https://.example.com", "two dots"),
        ("https://api.example.com..", "two dots"),
        ("https://.", "two dots"),
        ("https://api,example.com", "','"),
        ("https://*", "wildcard"),
        ("https://api.*.com:443", "wildcard"),
    ] {
        let error = error(text);
        assert!(error.contains(what), "{text}: {error}");
    }
}

#[test]
fn the_error_for_a_host_that_is_not_ascii_names_punycode() {
    for text in [
        "https://b\u{fc}cher.example",
        "https://\u{430}pi.example.com",
        "https://api\u{3002}example.com",
        "https://\u{ff11}27.0.0.1",
        "https://api.ex\u{ad}ample.com",
    ] {
        let error = error(text);
        assert!(error.contains("punycode form (xn--"), "{error}");
    }
}

#[test]
fn addresses_have_one_form() {
    for odd in [
        "http://0x7f.1",
        "http://127.1",
        "http://127.0.0.01",
        "http://0177.0.0.1",
        "http://2130706433",
        "http://127.0.0.1.",
        "http://127.0.0.256",
        "http://1.2.3.4.5",
        "http://0x",
        "http://api.example.0x7f",
    ] {
        assert!(error(odd).contains("IPv4"), "{odd}");
    }
    for odd in [
        "http://[::1",
        "http://[127.0.0.1]",
        "http://[fe80::1%25eth0]",
        "http://[::1%eth0]",
        "http://[]",
        "http://[v1.a]",
        "http://[[::1]]",
        "http://a[::1]",
        "http://[::1]a",
        "http://::1",
    ] {
        assert!(allowed(odd).is_err(), "{odd}");
    }
    // an IPv4 address in an IPv6 one is not loopback
    assert!(error("http://[::ffff:127.0.0.1]").contains("not loopback"));
    assert!(error("http://localhost.").contains("not loopback"));
    assert!(error("http://127.0.0.1.evil.example").contains("not loopback"));
}

#[test]
fn the_origin_of_a_url_is_its_scheme_host_and_port() {
    let api = Origin::of_url("https://api.example.com:8443/v1/orders?x=1").unwrap();
    assert_eq!(api.to_string(), "https://api.example.com:8443");
    let path = "https://api.example.com/{id}/b\u{fc}cher?a b|c#\\";
    assert_eq!(Origin::of_url(path).unwrap().port(), 443);
    let secret = Origin::of_url("https://id:s3cr3t@api.example.com/?key=s3cr3t");
    let error = secret.unwrap_err().to_string();
    assert!(
        error.contains("credentials") && !error.contains("s3cr3t"),
        "{error}"
    );
    assert!(
        Origin::of_url("foo:90")
            .unwrap_err()
            .to_string()
            .contains("the scheme foo")
    );
    let error = Origin::of_url("https://id:s3cr3t#x@api.example.com/").unwrap_err();
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
}

#[test]
fn rfc6454_6_2_an_origin_is_displayed_without_its_default_port() {
    for (text, shown, port) in [
        (
            "HTTPS://API.Example.com:443/",
            "https://api.example.com",
            443,
        ),
        (
            "https://api.example.com:80",
            "https://api.example.com:80",
            80,
        ),
        ("http://localhost:080", "http://localhost", 80),
        ("https://[2001:DB8:0::1]", "https://[2001:db8::1]", 443),
    ] {
        let origin: Origin = text.parse().unwrap();
        assert_eq!(origin.to_string(), shown);
        assert_eq!(format!("{origin:?}"), shown);
        assert_eq!(origin.port(), port);
        assert_eq!(shown.parse::<Origin>().unwrap(), origin);
    }
}

#[test]
fn only_the_listed_origin_gets_a_token() {
    let api = origins(&["https://api.example.com"]);
    for same in [
        "https://api.example.com/v1?x=1",
        "https://api.example.com:443/",
        "https://api.example.com:/",
        "https://API.Example.COM/",
        "HTTPS://api.example.com/",
        "https://evil.example@api.example.com/",
        "https://api.example.com./",
    ] {
        assert!(may_carry_token(&api, same), "{same}");
    }
    for other in [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.example/",
        "https://api.example.com@evil.example/",
        "https://api.example.com:443@evil.example/",
        "https://evil.example/https://api.example.com",
        "https://xn--pi-7ia.example.com/",
        "https://example.com/",
        "/path/only",
    ] {
        assert!(!may_carry_token(&api, other), "{other}");
    }
}

/// `http::Uri` accepts these, and returns a host and a port for them.
#[test]
fn a_malformed_authority_gets_no_token() {
    let any = AllowedOrigins::new(Vec::new(), true, true).unwrap();
    for origins in [
        &any,
        &origins(&["https://api.example.com", "https://[::1]"]),
    ] {
        for malformed in [
            "https://api.example.com:0/",
            "https://api.example.com:65536/",
            "https://api.example.com:443x/",
            "https://api.example.com:+443/",
            "https://api.example.com:@/",
            "https://[::1]x/",
            "https://[::1]x:443/",
            "https://x[::1]/",
            "https://[::1%25eth0]/",
            "https://*.example.com/",
            "https://:443/",
        ] {
            assert!(!may_carry_token(origins, malformed), "{malformed}");
        }
    }
}

#[test]
fn an_authority_without_a_scheme_is_not_listed() {
    let uri: Uri = "api.example.com:443".parse().unwrap();
    let destination = Target::from(&uri).destination.unwrap();
    let api = origins(&["https://api.example.com"]);
    assert_eq!(api.find(&destination), None);
}

#[test]
fn an_internationalized_origin_is_listed_in_its_ascii_form() {
    let api = origins(&["https://xn--bcher-kva.example"]);
    assert!(may_carry_token(&api, "https://xn--bcher-kva.example/"));
    assert!(may_carry_token(&api, "https://XN--BCHER-KVA.example/"));
    assert!(!may_carry_token(&api, "https://bcher-kva.example/"));
}

#[test]
fn ipv6_addresses_and_ports_are_distinguished() {
    let api = origins(&["http://[::1]:4000"]);
    assert!(may_carry_token(&api, "http://[::1]:4000/"));
    assert!(!may_carry_token(&api, "http://[::1]:4001/"));
    assert!(!may_carry_token(&api, "http://127.0.0.1:4000/"));
    assert!(!may_carry_token(&api, "http://[::2]:4000/"));
    assert!(!may_carry_token(&api, "http://[::ffff:127.0.0.1]:4000/"));
}

#[test]
fn an_ipv6_address_is_the_same_in_all_its_spellings() {
    let spellings = [
        "http://[::1]:4000",
        "http://[0:0:0:0:0:0:0:1]:4000",
        "http://[0000::0.0.0.1]:4000",
    ];
    for listed in spellings {
        for requested in spellings {
            let api = origins(&[listed]);
            assert!(may_carry_token(&api, requested), "{listed} {requested}");
        }
    }
}

#[test]
fn odd_spellings_of_an_ipv4_address_are_not_the_address() {
    let api = origins(&["http://127.0.0.1"]);
    assert!(may_carry_token(&api, "http://127.0.0.1/"));
    for odd in [
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.1/",
        "http://127.0.0.01/",
        "http://127.0.0.1./",
    ] {
        assert!(!may_carry_token(&api, odd), "{odd}");
        let any = AllowedOrigins::new(Vec::new(), true, false).unwrap();
        assert!(!may_carry_token(&any, odd), "{odd}");
    }
}

#[test]
fn a_final_dot_makes_another_host_of_a_single_label_only() {
    for (one, other, is_same) in [
        ("https://api.example.com.", "https://api.example.com/", true),
        ("https://api.example.com", "https://api.example.com./", true),
        ("http://localhost", "http://localhost./", false),
        ("https://intranet", "https://intranet./", false),
        ("https://intranet.", "https://intranet/", false),
        ("https://intranet.", "https://intranet./", true),
    ] {
        assert_eq!(may_carry_token(&origins(&[one]), other), is_same, "{one}");
    }
}

/// The dot keeps the resolver from trying its search list.
#[test]
fn a_client_connects_by_the_host_with_its_final_dot() {
    for (text, base) in [
        ("https://AS.example.:443/token", "https://as.example."),
        ("https://as.example.:8443", "https://as.example.:8443"),
        ("https://as.example/token", "https://as.example"),
        ("https://intranet.:8443/", "https://intranet.:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ] {
        assert_eq!(HttpUrl::parse(text).unwrap().base(), base);
    }
}

#[test]
fn any_origin_still_requires_https() {
    let any = AllowedOrigins::new(Vec::new(), true, false).unwrap();
    assert!(may_carry_token(&any, "https://other.example/"));
    assert!(may_carry_token(&any, "http://127.0.0.1:1/"));
    assert!(may_carry_token(&any, "http://[::1]:1/"));
    assert!(!may_carry_token(&any, "http://other.example/"));
    assert!(!may_carry_token(&any, "ftp://other.example/"));
    let http = AllowedOrigins::new(Vec::new(), true, true).unwrap();
    assert!(may_carry_token(&http, "http://other.example/"));
}

#[test]
fn the_parts_of_a_url_are_compared_like_a_uri() {
    let api = origins(&["https://api.example.com", "http://[::1]:4000"]);
    let may = |scheme, host, port| {
        let target = Target::from_parts(scheme, host, port);
        target.destination.is_some_and(|to| api.find(&to).is_some())
    };
    assert!(may("https", "api.example.com", None));
    assert!(may("https", "api.example.com", Some(443)));
    assert!(may("http", "[::1]", Some(4000)));
    assert!(!may("http", "api.example.com", None));
    assert!(!may("http", "api.example.com", Some(443)));
    assert!(!may("https", "api.example.com", Some(8443)));
    assert!(!may("https", "id@api.example.com", None));
    assert!(!may("https", "api.example.com:443", None));
    assert!(!may("http", "::1", Some(4000)));
    assert!(!may("https", "", None));
    assert!(!may("data", "", None));
}

#[test]
fn a_request_has_the_normalized_origin_of_its_uri() {
    let origin = |uri: &str| {
        let uri: Uri = uri.parse().unwrap();
        let origin = Target::from(&uri).destination?.origin()?;
        Some(origin.to_string())
    };
    let https = "https://api.example.com";
    assert_eq!(origin("https://API.example.com:443/v1").unwrap(), https);
    assert_eq!(origin("https://id:s3cr3t@api.example.com/").unwrap(), https);
    let other = "https://api.example.com:8443";
    assert_eq!(origin("https://api.example.com:8443/v1").unwrap(), other);
    for none in [
        "/v1",
        "api.example.com:443",
        "ftp://api.example.com/",
        "https://api.example.com:65536/",
        "http://0x7f.1/",
    ] {
        assert_eq!(origin(none), None, "{none}");
    }
}

fn other_authority(url: &str) -> HeaderValue {
    let (_, authority) = url.split_once("://").unwrap();
    authority.parse().unwrap()
}

/// Another spelling of an origin.
fn respelled(origin: &Origin) -> impl Strategy<Value = String> + use<> {
    let (scheme, host, port) = (origin.scheme(), origin.host().to_owned(), origin.port());
    let name = vec(any::<bool>(), host.len()).prop_map(move |upper| {
        let letters = host.chars().zip(upper);
        let spelled = letters.map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c });
        spelled.collect::<String>()
    });
    let is_default = port == origin.scheme_value().default_port();
    (name, any::<bool>(), 0..4_usize, 0..3_usize).prop_map(move |(name, dot, port_form, zeros)| {
        let is_name = Host::parse(&name).is_ok_and(|host| matches!(host, Host::Name(_)));
        let dot = if dot && is_name && name.contains('.') {
            "."
        } else {
            ""
        };
        let port = match port_form {
            0 if is_default => String::new(),
            1 if is_default => ":".to_owned(),
            _ => format!(":{}{port}", "0".repeat(zeros)),
        };
        format!("{scheme}://{name}{dot}{port}")
    })
}

proptest! {
    /// Both sides of the comparison, the `Host` header and the log are normalized in one way.
    #[test]
    fn all_spellings_of_an_origin_are_the_origin(
        (listed, requested) in select([
            "https://api.example.com", "https://api.example.com:8443", "http://localhost",
            "https://intranet", "http://127.0.0.1:4000", "https://[2001:db8::a]",
            "https://xn--bcher-kva.example",
        ].as_slice()).prop_flat_map(|origin| {
            let origin: Origin = origin.parse().unwrap();
            (respelled(&origin), respelled(&origin))
        })
    ) {
        let origin: Origin = listed.parse().unwrap();
        prop_assert_eq!(&origin, &requested.parse::<Origin>().unwrap());
        prop_assert!(may_carry_token(&origins(&[&listed]), &requested));
        let (one, other): (Uri, Uri) = (listed.parse().unwrap(), requested.parse().unwrap());
        let (one, other) = [&one, &other].map(|uri| Target::from(uri).destination.unwrap()).into();
        let host = other_authority(&requested);
        prop_assert!(one.is_named_by(&host) && other.is_named_by(&host));
        let hasher = RandomState::new();
        prop_assert_eq!(hasher.hash_one(one), hasher.hash_one(other));
    }

    #[test]
    fn an_origin_that_is_displayed_is_parsed_as_the_same(text in "https?://[a-zA-Z0-9:.\\[\\]@_-]{0,24}/?") {
        if let Ok(origin) = text.parse::<Origin>() {
            let shown = origin.to_string();
            assert_eq!(shown.parse::<Origin>().unwrap(), origin);
            let uri: Uri = shown.parse().unwrap();
            assert_eq!(Target::from(&uri).destination.unwrap().origin(), Some(origin));
        }
    }

    #[test]
    fn any_text_is_an_origin_or_an_error(text in "\\PC{0,32}", scheme in "(https?:/{0,3})?") {
        if let Err(error) = Origin::of_url(&format!("{scheme}{text}")) {
            assert_eq!(error.kind(), crate::ErrorKind::Configuration);
        }
    }
}
