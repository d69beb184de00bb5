use super::*;

fn origins(named: &[&str]) -> AllowedOrigins {
    let named = named.iter().map(|text| Origin::parse(text).unwrap());
    AllowedOrigins::new(named.collect(), false, false).unwrap()
}

fn refusal(text: &str) -> String {
    let origins = Origin::parse(text).and_then(|o| AllowedOrigins::new(vec![o], false, false));
    origins.unwrap_err().to_string()
}

/// Whether a request to `uri` may carry a token, asked as hyper and as reqwest would ask.
fn may_see(origins: &AllowedOrigins, uri: &str) -> bool {
    let as_uri = uri.parse::<Uri>().is_ok_and(|uri| {
        Target::from(&uri)
            .destination
            .is_some_and(|destination| origins.contains(&destination))
    });
    let as_url = Url::parse(uri).is_ok_and(|url| {
        Target::from(&url)
            .destination
            .is_some_and(|destination| origins.contains(&destination))
    });
    // A url::Url is normalized where an http::Uri is not: the latter may be refused, never more.
    assert!(as_url || !as_uri, "{uri}");
    as_uri
}

#[test]
fn what_an_origin_may_be() {
    for good in [
        "https://api.example.com",
        "https://api.example.com/",
        "https://API.example.com:8443",
        "http://127.0.0.1:4000",
        "http://[::1]:4000",
        "http://localhost:4000",
    ] {
        origins(&[good]);
    }
    assert!(refusal("api.example.com").contains("without a scheme"));
    assert!(refusal("ftp://api.example.com").contains("scheme ftp"));
    assert!(refusal("https://api.example.com/v1").contains("more than scheme, host and port"));
    assert!(refusal("https://api.example.com?x").contains("more than"));
    assert!(refusal("http://api.example.com").contains("not loopback"));
    assert!(refusal("https://*.example.com").contains("wildcard"));
    let with_secret = refusal("https://id:s3cr3t@api.example.com");
    assert!(with_secret.contains("credentials") && !with_secret.contains("s3cr3t"));
    let none = AllowedOrigins::new(Vec::new(), false, false).unwrap_err();
    assert!(none.to_string().contains("at least one"), "{none}");
}

#[test]
fn the_origin_of_a_url_is_its_scheme_host_and_port() {
    let api = Origin::of_url("https://api.example.com:8443/v1/orders?x=1").unwrap();
    assert_eq!(api.to_string(), "https://api.example.com:8443");
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
}

#[test]
fn only_the_named_origin_sees_a_token() {
    let api = origins(&["https://api.example.com"]);
    for same in [
        "https://api.example.com/v1?x=1",
        "https://api.example.com:443/",
        "https://API.Example.COM/",
    ] {
        assert!(may_see(&api, same), "{same}");
    }
    for other in [
        "http://api.example.com/",
        "https://api.example.com:8443/",
        "https://api.example.com.evil.example/",
        "https://api.example.com@evil.example/",
        "https://evil.example/https://api.example.com",
        "https://api.example.com./",
        "https://xn--pi-7ia.example.com/",
        "https://example.com/",
        "/path/only",
    ] {
        assert!(!may_see(&api, other), "{other}");
    }
}

#[test]
fn an_authority_without_a_scheme_is_on_no_list() {
    let uri: Uri = "api.example.com:443".parse().unwrap();
    let destination = Target::from(&uri).destination.unwrap();
    assert!(!origins(&["https://api.example.com"]).contains(&destination));
}

#[test]
fn an_internationalized_origin_is_the_same_in_both_spellings() {
    let api = origins(&["https://bücher.example"]);
    assert!(may_see(&api, "https://xn--bcher-kva.example/"));
}

#[test]
fn ipv6_and_ports_are_told_apart() {
    let api = origins(&["http://[::1]:4000"]);
    assert!(may_see(&api, "http://[::1]:4000/"));
    assert!(!may_see(&api, "http://[::1]:4001/"));
    assert!(!may_see(&api, "http://127.0.0.1:4000/"));
}

#[test]
fn any_origin_still_wants_https() {
    let any = AllowedOrigins::new(Vec::new(), true, false).unwrap();
    assert!(may_see(&any, "https://whoever.example/"));
    assert!(may_see(&any, "http://127.0.0.1:1/"));
    assert!(!may_see(&any, "http://whoever.example/"));
    assert!(!may_see(&any, "ftp://whoever.example/"));
    let http = AllowedOrigins::new(Vec::new(), true, true).unwrap();
    assert!(may_see(&http, "http://whoever.example/"));
}
