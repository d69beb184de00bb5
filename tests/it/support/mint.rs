use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    Authorizer, Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
};
use tokio::sync::Semaphore;

/// A token source that counts: `token-1`, `token-2`, … It can be held, and it can fail.
#[derive(Clone, Debug)]
pub(crate) struct Mint(Arc<State>);

#[derive(Debug)]
struct State {
    requests: AtomicUsize,
    /// Closed when tokens may come.
    gate: Semaphore,
    failure: Option<ErrorKind>,
}

impl Mint {
    /// Mints at once.
    pub(crate) fn open() -> Self {
        let mint = Self::held();
        mint.release();
        mint
    }

    /// Mints nothing until it is released.
    pub(crate) fn held() -> Self {
        Self::new(None)
    }

    pub(crate) fn failing(kind: ErrorKind) -> Self {
        let mint = Self::new(Some(kind));
        mint.release();
        mint
    }

    fn new(failure: Option<ErrorKind>) -> Self {
        Self(Arc::new(State {
            requests: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            failure,
        }))
    }

    pub(crate) fn release(&self) {
        self.0.gate.close();
    }

    /// Token requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    pub(crate) fn cache(&self) -> TokenCache {
        TokenCache::new(self.clone())
    }

    /// An authorizer without a token yet, that may show it to `origin`.
    pub(crate) fn authorizer(&self, origin: impl Into<String>) -> Authorizer {
        let builder = Authorizer::builder(self.cache());
        builder.origin(origin).build().unwrap()
    }

    /// The same, with its token at hand.
    pub(crate) async fn warm_authorizer(&self, origin: impl Into<String>) -> Authorizer {
        let authorizer = self.authorizer(origin);
        authorizer.tokens().unwrap().token().await.unwrap();
        authorizer
    }
}

#[async_trait]
impl TokenSource for Mint {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = self.0.requests.fetch_add(1, SeqCst) + 1;
        let closed = self.0.gate.acquire().await;
        assert!(closed.is_err(), "the gate has no permits");
        match self.0.failure {
            Some(kind) => Err(Error::new(kind, "the mint is shut")),
            None => TokenResponse::bearer(format!("token-{number}")),
        }
    }
}
