//! A client of an API in memory: an authorizer, a cache and a clock.

use auth_core::{
    Authorizer, TokenCache, TokenSource,
    adapter::{Attempt, Decision, Verdict},
    time::Clock,
};
use auth_test_support::get;
use bytes::Bytes;
use http::{Response, StatusCode};

use super::in_memory_api::InMemoryApi;

pub(super) const ORIGIN: &str = "https://api.example.com";

#[derive(Clone, Debug)]
pub(super) struct TestClient {
    pub(super) api: InMemoryApi,
    pub(super) authorizer: Authorizer,
}

impl TestClient {
    pub(super) fn new(source: impl TokenSource, clock: impl Clock) -> Self {
        let tokens = TokenCache::builder(source).clock(clock).build();
        let builder = Authorizer::builder(tokens).origin(ORIGIN);
        Self {
            api: InMemoryApi::new(),
            authorizer: builder.build().unwrap(),
        }
    }

    /// Creates a client whose channel is trusted, as gRPC requests need it.
    pub(super) fn trusted(source: impl TokenSource, clock: impl Clock) -> Self {
        let tokens = TokenCache::builder(source).clock(clock).build();
        let builder = Authorizer::builder(tokens).origin(ORIGIN);
        Self {
            api: InMemoryApi::new(),
            authorizer: builder.danger_trust_channel(true).build().unwrap(),
        }
    }

    pub(super) fn tokens(&self) -> &TokenCache {
        self.authorizer.tokens().unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> StatusCode {
        self.fetch(path).await.0
    }

    /// Sends a request as an adapter does, and returns the status and the body of its response.
    pub(super) async fn fetch(&self, path: &str) -> (StatusCode, Bytes) {
        let first = match self.authorizer.authorize(&get(format!("{ORIGIN}{path}"))) {
            Decision::Authorize(attempt) => attempt,
            Decision::Wait(attempt) => attempt.await.unwrap(),
            Decision::PassThrough(_) => panic!("expected a token for {path}"),
        };
        let response = self.send(&first, path).await;
        let second = match first.classify(&response, true) {
            Verdict::Renew(renewal) => renewal.await.attempt(),
            Verdict::Deliver | Verdict::DeliverAfter(_) | Verdict::DeliverAndWatch(_) => None,
        };
        let response = match second {
            Some(second) => {
                let response = self.send(&second, path).await;
                let verdict = second.classify(&response, false);
                assert!(matches!(
                    verdict,
                    Verdict::Deliver | Verdict::DeliverAfter(_)
                ));
                response
            }
            None => response,
        };
        let (head, body) = response.into_parts();
        (head.status, body)
    }

    async fn send(&self, attempt: &Attempt, path: &str) -> Response<Bytes> {
        let mut request = get(format!("{ORIGIN}{path}"));
        attempt.apply(request.headers_mut());
        self.api.answer(&request).await
    }
}
