//! A client whose tokens are bound to a key, and the responses of its APIs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    Authorizer, AuthorizerBuilder, Dpop, DpopProver, Error, TokenCache, TokenRequest,
    TokenResponse, TokenSource,
    adapter::{Attempt, Decision, Renewal, Verdict},
    async_trait,
};
use auth_test_support::{ReadProof, ReadableProver, get};
use auth_testing::ManualClock;
use http::{HeaderMap, Request, Response};

pub(super) const API: &str = "https://api.example.com";
pub(super) const OTHER: &str = "https://other.example.com";

/// A source of the tokens `t1`, `t2`, …, which live for a minute.
#[derive(Debug)]
pub(super) struct Source {
    dpop: Dpop,
    issued: Arc<AtomicUsize>,
}

impl Source {
    /// Returns a source, and the number of its tokens.
    pub(super) fn new(prover: impl DpopProver) -> (Self, Arc<AtomicUsize>) {
        let source = Self {
            dpop: Dpop::new(prover).unwrap(),
            issued: Arc::default(),
        };
        let issued = Arc::clone(&source.issued);
        (source, issued)
    }
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = self.issued.fetch_add(1, SeqCst) + 1;
        let token = TokenResponse::dpop(format!("t{number}"))?;
        Ok(token.with_expires_in(Duration::from_secs(60)))
    }

    fn dpop(&self) -> Option<Dpop> {
        Some(self.dpop.clone())
    }
}

pub(super) struct Client {
    pub(super) authorizer: Authorizer,
    pub(super) clock: ManualClock,
    pub(super) prover: ReadableProver,
    pub(super) issued: Arc<AtomicUsize>,
}

impl Client {
    pub(super) fn new() -> Self {
        Self::with(ReadableProver::local(), |builder| builder)
    }

    pub(super) fn with(
        prover: ReadableProver,
        build: impl FnOnce(AuthorizerBuilder) -> AuthorizerBuilder,
    ) -> Self {
        let clock = ManualClock::new();
        let (source, issued) = Source::new(prover.clone());
        let tokens = TokenCache::builder(source).clock(clock.clone()).build();
        let builder = Authorizer::builder(tokens).origin(API).origin(OTHER);
        Self {
            authorizer: build(builder).build().unwrap(),
            clock,
            prover,
            issued,
        }
    }

    /// Returns the attempt of a request.
    pub(super) async fn attempt<B>(&self, request: &Request<B>) -> Attempt {
        match self.authorizer.authorize(request) {
            Decision::Authorize(attempt) => attempt,
            Decision::Wait(attempt) => attempt.await.unwrap(),
            Decision::PassThrough(_) => panic!("expected a token"),
        }
    }

    pub(super) async fn get(&self, url: &str) -> Attempt {
        self.attempt(&get(url)).await
    }

    /// Sends a request to which the API responds with 200 and this nonce.
    pub(super) async fn learn(&self, url: &str, nonce: &str) {
        let attempt = self.get(url).await;
        let response = response(200, "", nonce);
        assert!(matches!(
            attempt.classify(&response, true),
            Verdict::Deliver
        ));
    }

    /// Returns the nonce of the next request's proof.
    pub(super) async fn nonce(&self, url: &str) -> Option<String> {
        proof(&self.get(url).await).nonce
    }
}

/// Returns the headers that an attempt sets.
pub(super) fn headers(attempt: &Attempt) -> HeaderMap {
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    headers
}

pub(super) fn proof(attempt: &Attempt) -> ReadProof {
    ReadProof::of(&headers(attempt))
}

/// Returns the `Authorization` header of an attempt.
pub(super) fn authorization(attempt: &Attempt) -> String {
    let headers = headers(attempt);
    headers["authorization"].to_str().unwrap().to_owned()
}

/// Returns a response. An empty text is no challenge, and no nonce.
pub(super) fn response(status: u16, challenge: &str, nonce: &str) -> Response<()> {
    let mut response = Response::builder().status(status);
    for (name, value) in [("www-authenticate", challenge), ("dpop-nonce", nonce)] {
        if !value.is_empty() {
            response = response.header(name, value);
        }
    }
    response.body(()).unwrap()
}

pub(super) fn demands(nonce: &str) -> Response<()> {
    response(401, "DPoP error=\"use_dpop_nonce\", algs=\"ES256\"", nonce)
}

pub(super) fn rejects() -> Response<()> {
    response(401, "DPoP error=\"invalid_token\"", "")
}

/// Returns the outcome of a verdict that may lead to another sending.
pub(super) async fn renewal(verdict: Verdict) -> Option<Renewal> {
    match verdict {
        Verdict::Renew(renewal) => Some(renewal.await),
        Verdict::Deliver | Verdict::DeliverAfter(_) | Verdict::DeliverAndWatch(_) => None,
    }
}

/// Classifies a response, and returns the attempt of the next sending.
pub(super) async fn next(attempt: Attempt, response: &Response<()>) -> Option<Attempt> {
    renewal(attempt.classify(response, true)).await?.attempt()
}
