use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    Authorizer, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
};
use tokio::sync::Semaphore;

/// A token source that issues `token-1`, `token-2`, …, or fails. Its requests can be held.
#[derive(Clone, Debug)]
pub struct GatedSource(Arc<State>);

#[derive(Debug)]
struct State {
    requests: AtomicUsize,
    /// Token requests wait until it is closed.
    gate: Semaphore,
    failure: Option<ErrorKind>,
}

impl GatedSource {
    /// A source that issues each token at once.
    pub fn open() -> Self {
        let source = Self::held();
        source.release();
        source
    }

    /// A source whose token requests wait for [`release`](Self::release).
    pub fn held() -> Self {
        Self::new(None)
    }

    /// A source that fails every token request with an error of this kind.
    pub fn failing(kind: ErrorKind) -> Self {
        let source = Self::new(Some(kind));
        source.release();
        source
    }

    fn new(failure: Option<ErrorKind>) -> Self {
        Self(Arc::new(State {
            requests: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            failure,
        }))
    }

    /// Answers the held token requests and all later ones.
    pub fn release(&self) {
        self.0.gate.close();
    }

    /// Returns the number of token requests so far.
    pub fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// Returns a cache for the tokens of this source.
    pub fn cache(&self) -> TokenCache {
        TokenCache::new(self.clone())
    }

    /// Returns an authorizer whose token is not cached yet, and whose only allowed origin is `origin`.
    pub fn authorizer(&self, origin: impl Into<String>) -> Authorizer {
        let builder = Authorizer::builder(self.cache());
        builder.origin(origin).build().unwrap()
    }

    /// Returns the same authorizer with a cached token.
    pub async fn warm_authorizer(&self, origin: impl Into<String>) -> Authorizer {
        let authorizer = self.authorizer(origin);
        authorizer.tokens().unwrap().token().await.unwrap();
        authorizer
    }
}

#[async_trait]
impl TokenSource for GatedSource {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = self.0.requests.fetch_add(1, SeqCst) + 1;
        let closed = self.0.gate.acquire().await;
        assert!(closed.is_err(), "the gate has no permits");
        match self.0.failure {
            Some(kind) => Err(Error::new(kind, "scripted")),
            None => TokenResponse::bearer(format!("token-{number}")),
        }
    }
}
