//! What the proofs of API requests state (RFC 9449 §4.2 and §7.1), and which requests have one.

use std::time::Duration;

use auth_core::{
    Authorizer, RequestHead,
    adapter::{Decision, Target},
    time::Clock,
};
use auth_test_support::{ReadableProver, get};
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request};

use super::api::{API, Client, headers, proof};

#[tokio::test]
async fn rfc9449_7_1_a_request_carries_its_token_and_a_proof_of_its_own() {
    let client = Client::new();
    for number in 1..=3 {
        let request = Request::post(format!("{API}/orders/7?page=2"))
            .body(())
            .unwrap();
        let attempt = client.attempt(&request).await;
        assert!(attempt.has_proof());
        let headers = headers(&attempt);
        assert_eq!(headers["authorization"], "DPoP t1");
        assert!(headers["dpop"].is_sensitive());
        let proof = proof(&attempt);
        assert_eq!(proof.number, number);
        assert_eq!(proof.method, "POST");
        assert_eq!(proof.url, format!("{API}/orders/7"));
        assert_eq!(proof.access_token.as_deref(), Some("t1"));
        assert_eq!(proof.nonce, None);
        assert_eq!(proof.time, client.clock.now().wall);
        client.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn rfc9449_4_3_equivalent_urls_are_normalized() {
    let client = Client::new();
    for (url, expected) in [
        (
            "HTTPS://API.example.com:443/a?b",
            "https://api.example.com/a",
        ),
        ("https://api.example.com", "https://api.example.com/"),
        ("https://api.example.com?a=b", "https://api.example.com/"),
        (
            "https://api.example.com/a%2Fb/",
            "https://api.example.com/a%2Fb/",
        ),
    ] {
        let proof = proof(&client.get(url).await);
        assert_eq!(proof.url, expected, "{url}");
    }
}

#[tokio::test]
async fn a_request_with_an_authorization_or_a_proof_of_its_own_is_left_unchanged() {
    let client = Client::new();
    for (name, value) in [("DPoP", "e30.e30.c2ln"), ("Authorization", "DPoP abc")] {
        let request = Request::get(API).header(name, value).body(()).unwrap();
        let decision = client.authorizer.authorize(&request);
        assert!(matches!(decision, Decision::PassThrough(_)), "{name}");
    }
    let unlisted = client
        .authorizer
        .authorize(&get("https://unlisted.example"));
    assert!(matches!(unlisted, Decision::PassThrough(_)));
    assert_eq!(client.prover.proofs(), 0);
}

#[tokio::test]
async fn an_adapter_that_states_no_path_or_no_method_gets_an_error() {
    let client = Client::new();
    client.get(API).await;
    let headers = HeaderMap::new();
    let target = Target::from_parts("https", "api.example.com", None);
    let with_path = target.with_path("/orders");
    let decide = |head| match client.authorizer.authorize(head) {
        Decision::Authorize(attempt) => Ok(proof(&attempt).url),
        Decision::Wait(attempt) => Err(attempt.now_or_never().unwrap().unwrap_err().to_string()),
        Decision::PassThrough(_) => panic!("expected a token"),
    };
    let whole = RequestHead::new(with_path, &headers).with_method(&Method::GET);
    assert_eq!(decide(whole), Ok(format!("{API}/orders")));
    for part in [
        RequestHead::new(with_path, &headers),
        RequestHead::new(target, &headers).with_method(&Method::GET),
    ] {
        let error = decide(part).unwrap_err();
        assert!(error.contains("Target::with_path"), "{error}");
    }
}

#[tokio::test]
async fn rfc9449_4_3_a_proof_for_another_url_or_method_is_foreign() {
    let client = Client::new();
    let url = format!("{API}/orders");
    let headers = headers(&client.get(&url).await);
    let is_foreign = |method: &str, url: &str| {
        let mut request = Request::builder().method(method).uri(url).body(()).unwrap();
        *request.headers_mut() = headers.clone();
        RequestHead::from(&request).has_foreign_proof()
    };
    for (method, url, expected) in [
        ("GET", "https://api.example.com/orders", false),
        ("GET", "https://API.example.com:443/orders?page=2", false),
        ("GET", "/orders", false),
        ("HEAD", "https://api.example.com/orders", true),
        ("GET", "https://api.example.com/orders/7", true),
        ("GET", "https://other.example.com/orders", true),
        ("GET", "http://api.example.com/orders", true),
    ] {
        assert_eq!(is_foreign(method, url), expected, "{method} {url}");
    }
    for none in [
        Request::get(&url),
        Request::get(&url).header("dpop", "no JWT"),
    ] {
        assert!(!RequestHead::from(&none.body(()).unwrap()).has_foreign_proof());
    }
}

#[tokio::test]
async fn a_proof_that_waited_for_more_than_5_s_is_not_current() {
    let client = Client::new();
    let attempt = client.get(API).await;
    client.clock.advance(Duration::from_secs(5));
    assert!(attempt.is_current());
    client.clock.advance(Duration::from_millis(1));
    assert!(!attempt.is_current(), "the adapter asks again");
    assert!(client.get(API).await.is_current());
}

#[tokio::test]
async fn a_request_that_waits_for_its_tenant_or_its_token_has_a_proof_for_its_url() {
    let authorizer = Authorizer::per_tenant(
        |_: &RequestHead<'_>| Some(1),
        |_: &i32| Ok(Client::with(ReadableProver::local(), |builder| builder).authorizer),
    );
    let authorizer = authorizer.build().unwrap();
    let Decision::Wait(attempt) = authorizer.authorize(&get(format!("{API}/orders?page=2"))) else {
        panic!("there is no token yet");
    };
    assert_eq!(proof(&attempt.await.unwrap()).url, format!("{API}/orders"));
}

#[test]
fn debug_shows_no_token_no_nonce_and_no_path() {
    let url = "https://api.example.com/s3cr3t"
        .parse::<http::Uri>()
        .unwrap();
    let shown = format!("{:?}", Target::from(&url));
    assert!(
        shown.contains("api.example.com") && !shown.contains("s3cr3t"),
        "{shown}"
    );
    let claims = auth_core::ProofClaims::new(&Method::GET, API);
    let shown = format!(
        "{:?}",
        claims.with_access_token("s3cr3t").with_nonce("s3cr3t")
    );
    assert!(shown.contains(API) && !shown.contains("s3cr3t"), "{shown}");
}
