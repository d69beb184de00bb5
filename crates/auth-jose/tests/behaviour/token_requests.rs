//! Assertions at the token endpoint, through the cache.

use std::{
    future,
    sync::{Arc, Mutex},
};

use auth_jose::{
    Algorithm, DpopKey, PrivateKeyJwt, Signer, SigningKey,
    auth_core::{
        ClientAuthentication, ClientCredentials, Error, ErrorKind, HttpTransport, TokenCache,
        TransportBody, async_trait,
    },
};
use auth_test_support::log::CapturedLog;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

use crate::keys;

/// Issues a token for each token request, and records the forms.
#[derive(Clone, Debug, Default)]
struct Recording(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl HttpTransport for Recording {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let form = String::from_utf8(request.into_body().to_vec()).unwrap();
        self.0.lock().unwrap().push(form);
        let token = r#"{"access_token":"abc","token_type":"Bearer"}"#;
        Ok(Response::new(TransportBody::new(Full::from(token))))
    }
}

fn tokens(signer: impl Signer) -> (TokenCache, Recording) {
    let assertion = PrivateKeyJwt::new(signer).unwrap();
    let authentication = ClientAuthentication::client_assertion(assertion);
    let transport = Recording::default();
    let source =
        ClientCredentials::builder("https://as.example/token", "my-client", authentication)
            .build(transport.clone())
            .unwrap();
    (TokenCache::new(source), transport)
}

#[tokio::test]
async fn a_token_request_carries_the_assertion() {
    let (tokens, transport) = tokens(SigningKey::from_jwk(keys::P256).unwrap());
    tokens.token().await.unwrap();
    let forms = transport.0.lock().unwrap();
    let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type\
                     %3Ajwt-bearer&client_assertion=eyJhbGciOiJFUzI1NiJ9.ey";
    assert!(forms[0].contains(assertion), "{forms:?}");
}

/// As a service that signs and does not answer, or answers with garbage.
#[derive(Debug)]
enum Bad {
    Hangs,
    Garbage,
    Panics,
}

#[async_trait]
impl Signer for Bad {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Es256
    }

    async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Hangs => future::pending().await,
            Self::Garbage => Ok(b"<html>".to_vec()),
            Self::Panics => panic!("s3cr3t"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_does_not_sign_is_an_error_of_the_attempt_that_names_it() {
    for (signer, kind, told) in [
        (
            Bad::Hangs,
            ErrorKind::Timeout,
            "client assertion: expected it within nine tenths of the attempt timeout, got none",
        ),
        (
            Bad::Garbage,
            ErrorKind::Configuration,
            "client assertion: signer: expected a signature of 64 octets by ES256, got one of 6",
        ),
        (
            Bad::Panics,
            ErrorKind::Panicked,
            "client assertion: the function or the source that makes it panicked",
        ),
    ] {
        let (tokens, transport) = tokens(signer);
        let error = tokens.token().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.to_string(), told);
        assert!(!format!("{error:?}").contains("s3cr3t"));
        assert!(transport.0.lock().unwrap().is_empty());
    }
}

/// Denies each token request with a text that repeats its proof and its assertion, and records them.
#[derive(Clone, Debug, Default)]
struct Repeating(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl HttpTransport for Repeating {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let proof = request.headers()["dpop"].to_str().unwrap().to_owned();
        let form = String::from_utf8(request.into_body().to_vec()).unwrap();
        let (_, assertion) = form.split_once("client_assertion=").unwrap();
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"bad {proof} {assertion}"}}"#
        );
        let sent = [proof, assertion.to_owned()];
        self.0.lock().unwrap().extend(sent);
        let response = Response::builder().status(401);
        let body = TransportBody::new(Full::from(body));
        response.body(body).map_err(Error::connection)
    }
}

#[tokio::test]
async fn no_error_no_event_and_no_debug_text_shows_an_assertion_or_a_proof() {
    let (log, _guard) = CapturedLog::start();
    let assertion = PrivateKeyJwt::new(SigningKey::from_jwk(keys::P256).unwrap()).unwrap();
    let authentication = ClientAuthentication::client_assertion(assertion);
    let transport = Repeating::default();
    let source =
        ClientCredentials::builder("https://as.example/token", "my-client", authentication)
            .dpop(DpopKey::generate().unwrap())
            .build(transport.clone())
            .unwrap();
    let tokens = TokenCache::new(source);
    let error = tokens.token().await.unwrap_err();
    let shown = format!("{error} {error:?} {tokens:?} {}", log.text());
    assert!(shown.contains("bad [redacted]"), "{shown}");
    let sent = transport.0.lock().unwrap();
    assert_eq!(sent.len(), 2);
    for part in sent.iter().flat_map(|jwt| jwt.split('.')) {
        assert!(!shown.contains(part), "{part} in {shown}");
    }
}
