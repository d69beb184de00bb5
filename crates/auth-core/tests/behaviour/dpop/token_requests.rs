//! Token requests with proofs, and nonces of the authorization server (RFC 9449 §5 and §8).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    AccessTokenType, Assertion, ClientAuthentication, ClientCredentials, ClientSecret, DpopProver,
    Error, ErrorKind, TokenCache, TokenRequest, TokenSource, assertion_fn,
};
use auth_test_support::ReadableProver;
use auth_testing::ManualClock;

use super::{
    endpoint::{Answer, Endpoint, TOKEN, URL},
    fixed_prover::Fixed,
};
use crate::captured_log::CapturedLog;

fn grant(endpoint: &Endpoint, prover: impl DpopProver) -> ClientCredentials {
    with(
        ClientAuthentication::client_secret_basic("s3cr3t"),
        endpoint,
        prover,
    )
}

fn with(
    authentication: ClientAuthentication,
    endpoint: &Endpoint,
    prover: impl DpopProver,
) -> ClientCredentials {
    let builder =
        ClientCredentials::builder(format!("{URL}?tenant=1"), "my-client", authentication);
    builder.dpop(prover).build(endpoint.clone()).unwrap()
}

async fn fetch(answers: impl IntoIterator<Item = Answer>) -> (Result<(), Error>, Endpoint) {
    let endpoint = Endpoint::answering(answers);
    let source = grant(&endpoint, ReadableProver::local());
    let fetched = source.fetch(&TokenRequest::default()).await;
    (fetched.map(drop), endpoint)
}

#[tokio::test]
async fn rfc9449_4_2_a_token_request_has_one_proof_for_the_url_without_its_query() {
    let endpoint = Endpoint::answering([Answer::token()]);
    let clock = ManualClock::new();
    let source = grant(&endpoint, ReadableProver::local());
    let cache = TokenCache::builder(source).clock(clock.clone()).build();
    let token = cache.token().await.unwrap();
    assert_eq!(token.token_type(), AccessTokenType::Dpop);
    assert_eq!(token.authorization().header(), "DPoP abc");
    let [proof] = &endpoint.proofs()[..] else {
        panic!("one token request")
    };
    assert_eq!((proof.method.as_str(), proof.url.as_str()), ("POST", URL));
    assert_eq!((&proof.access_token, &proof.nonce), (&None, &None));
    let now = auth_core::time::Clock::now(&clock).wall;
    assert_eq!(
        proof.time.as_secs(),
        now.as_secs(),
        "the clock of the cache"
    );
}

#[tokio::test]
async fn rfc9449_8_a_demanded_nonce_causes_one_repetition_with_a_new_proof() {
    let (fetched, endpoint) = fetch([Answer::demands("n1"), Answer::token()]).await;
    fetched.unwrap();
    assert_eq!(endpoint.nonces(), [None, Some("n1".to_owned())]);
    let numbers: Vec<_> = endpoint.proofs().iter().map(|proof| proof.number).collect();
    assert_eq!(numbers, [1, 2], "each proof has its own jti");
}

#[tokio::test]
async fn a_nonce_that_is_demanded_again_is_a_transient_error_after_two_token_requests() {
    let (fetched, endpoint) = fetch([Answer::demands("n1"), Answer::demands("n2")]).await;
    let error = fetched.unwrap_err();
    assert_eq!(endpoint.nonces(), [None, Some("n1".to_owned())]);
    assert!(error.is_transient(), "{error}");
    assert!(
        error.to_string().contains("denied the DPoP proof"),
        "{error}"
    );
}

#[tokio::test]
async fn a_demand_without_another_nonce_is_not_repeated() {
    let demand = r#"{"error":"use_dpop_nonce"}"#;
    let (fetched, endpoint) = fetch([Answer::of(400, demand)]).await;
    assert!(fetched.is_err());
    assert_eq!(endpoint.nonces(), [None]);

    let (fetched, endpoint) = fetch([Answer::of(400, demand).nonce("no nonce")]).await;
    assert!(fetched.is_err());
    assert_eq!(endpoint.nonces(), [None]);

    let endpoint = Endpoint::answering([Answer::token().nonce("n1"), Answer::demands("n1")]);
    let source = grant(&endpoint, ReadableProver::local());
    source.fetch(&TokenRequest::default()).await.unwrap();
    assert!(source.fetch(&TokenRequest::default()).await.is_err());
    assert_eq!(endpoint.nonces(), [None, Some("n1".to_owned())]);
}

#[tokio::test]
async fn rfc9449_8_2_the_nonce_of_any_response_replaces_the_last_one() {
    let denied = Answer::of(400, r#"{"error":"invalid_scope"}"#);
    let down = Answer::of(503, "");
    let endpoint = Endpoint::answering([
        Answer::token().nonce("n1"),
        denied.nonce("n2"),
        down.nonce("n3"),
        Answer::token(),
    ]);
    let source = grant(&endpoint, ReadableProver::local());
    for _ in 0..5 {
        let _ = source.fetch(&TokenRequest::default()).await;
    }
    let nonces = [None, Some("n1"), Some("n2"), Some("n3"), Some("n3")];
    assert_eq!(
        endpoint.nonces(),
        nonces.map(|nonce| nonce.map(str::to_owned))
    );
}

#[tokio::test]
async fn a_repetition_has_a_new_client_assertion() {
    let count = AtomicUsize::new(0);
    let numbered = assertion_fn(move |_| {
        let number = count.fetch_add(1, SeqCst) + 1;
        async move { Assertion::new(format!("jwt-{number}")) }
    });
    let endpoint = Endpoint::answering([Answer::demands("n1"), Answer::token()]);
    let authentication = ClientAuthentication::client_assertion(numbered);
    let source = with(authentication, &endpoint, ReadableProver::local());
    source.fetch(&TokenRequest::default()).await.unwrap();
    let forms = endpoint.forms();
    assert!(
        forms[0].ends_with("jwt-1") && forms[1].ends_with("jwt-2"),
        "{forms:?}"
    );
}

#[tokio::test]
async fn of_two_secrets_the_one_is_repeated_for_which_the_nonce_was_demanded() {
    let denied = Answer::of(401, r#"{"error":"invalid_client"}"#);
    let endpoint = Endpoint::answering([denied, Answer::demands("n1"), Answer::token()]);
    let secret = ClientSecret::rotating("new", "old");
    let authentication = ClientAuthentication::client_secret_post(secret);
    let source = with(authentication, &endpoint, ReadableProver::local());
    source.fetch(&TokenRequest::default()).await.unwrap();
    let forms = endpoint.forms();
    assert_eq!(forms.len(), 3);
    assert_ne!(forms[0], forms[1]);
    assert_eq!(forms[1], forms[2]);
}

#[tokio::test]
async fn rfc9449_5_a_token_that_is_not_bound_is_an_error_that_says_what_to_do() {
    for body in [
        r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
        r#"{"access_token":"abc","token_type":"","expires_in":600}"#,
        r#"{"access_token":"abc","expires_in":600}"#,
    ] {
        let (fetched, endpoint) = fetch([Answer::of(200, body)]).await;
        let error = fetched.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        let text = error.to_string();
        assert!(text.contains("expected \"DPoP\""), "{text}");
        assert!(text.contains("remove dpop(...)"), "{text}");
        assert!(!text.contains("abc"), "{text}");
        assert_eq!(endpoint.forms().len(), 1);
    }
    let (fetched, _) = fetch([Answer::of(200, &TOKEN.replace("DPoP", "dpop"))]).await;
    fetched.unwrap();
}

#[tokio::test]
async fn without_a_key_a_bound_token_and_a_demanded_nonce_are_errors_that_name_the_setting() {
    for answer in [Answer::token(), Answer::demands("n1")] {
        let endpoint = Endpoint::answering([answer]);
        let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
        let builder = ClientCredentials::builder(URL, "my-client", authentication);
        let source = builder.build(endpoint.clone()).unwrap();
        let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
        assert!(error.to_string().contains("dpop(...)"), "{error}");
        assert!(!error.is_transient());
        assert_eq!(endpoint.forms().len(), 1);
    }
}

#[tokio::test]
async fn a_nonce_with_other_characters_is_ignored_with_one_warning() {
    let (log, _guard) = CapturedLog::start();
    let answer = Answer::token().nonce("n 1");
    let endpoint = Endpoint::answering([answer.clone(), answer, Answer::token()]);
    let source = grant(&endpoint, ReadableProver::local());
    for _ in 0..3 {
        source.fetch(&TokenRequest::default()).await.unwrap();
    }
    assert_eq!(endpoint.nonces(), [None, None, None]);
    assert_eq!(log.text().matches("DPoP-Nonce").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_remote_key_has_nine_tenths_of_the_attempt() {
    let endpoint = Endpoint::answering([Answer::token()]);
    let cache = TokenCache::new(grant(&endpoint, ReadableProver::remote()));
    let error = cache.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("DPoP proof"), "{error}");
    assert!(endpoint.forms().is_empty());
}

/// The server may not have recorded the proof that it repeats, and would accept it from a reader of the log.
#[tokio::test]
async fn a_proof_is_struck_out_where_the_server_repeats_it() {
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCJ9.eyJqdGkiOiJhYmMifQ.c2lnbmF0dXJlLW9mLWEtcHJvb2Y";
    let body = format!(r#"{{"error":"invalid_dpop_proof","error_description":"bad {proof}"}}"#);
    let (log, _guard) = CapturedLog::start();
    let endpoint = Endpoint::answering([Answer::of(400, &body)]);
    let cache = TokenCache::new(grant(&endpoint, Fixed(Ok(proof))));
    let error = cache.token().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("denied the DPoP proof (400 invalid_dpop_proof: bad [redacted])"),
        "{text}"
    );
    assert!(text.contains("check the clock of this machine"), "{text}");
    let shown = format!("{error:?} {}", log.text());
    assert!(shown.contains("bad [redacted]"), "{shown}");
    for part in proof.split('.') {
        assert!(!shown.contains(part), "{shown}");
    }
}

#[tokio::test]
async fn a_proof_that_is_no_jwt_and_a_failed_proof_are_errors_and_no_token_is_requested() {
    for (proof, expected) in [
        (Ok("no proof"), "expected a signed JWT"),
        (
            Err("the vault is closed"),
            "DPoP proof: the vault is closed",
        ),
    ] {
        let endpoint = Endpoint::answering([Answer::token()]);
        let source = grant(&endpoint, Fixed(proof));
        let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(endpoint.forms().is_empty());
    }
}

#[test]
fn settings_that_contradict_a_key_are_errors() {
    let builder = || {
        let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
        ClientCredentials::builder(URL, "my-client", authentication)
    };
    let endpoint = Endpoint::answering([Answer::token()]);
    let both = builder()
        .accept_token_type("BearerToken")
        .dpop(ReadableProver::local());
    let error = both.build(endpoint.clone()).unwrap_err();
    assert!(error.to_string().contains("accept_token_type"), "{error}");
    let error = builder()
        .header("DPoP", "e30.e30.c2ln")
        .build(endpoint.clone())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("expected none that the token request"),
        "{error}"
    );
    for thumbprint in [
        "",
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=",
        "0ZcOCORZNYy+DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
    ] {
        let prover = Arc::new(ReadableProver::local().with_thumbprint(thumbprint));
        let error = builder().dpop(prover).build(endpoint.clone()).unwrap_err();
        assert!(
            error.to_string().contains("thumbprint of 43 characters"),
            "{error}"
        );
    }
}
