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
pub struct Mint(Arc<State>);

#[derive(Debug)]
struct State {
    requests: AtomicUsize,
    /// Closed when tokens may come.
    gate: Semaphore,
    failure: Option<ErrorKind>,
}

impl Mint {
    /// Mints at once.
    pub fn open() -> Self {
        let mint = Self::held();
        mint.release();
        mint
    }

    /// Mints nothing until it is released.
    pub fn held() -> Self {
        Self::new(None)
    }

    /// Fails with an error of this kind, always.
    pub fn failing(kind: ErrorKind) -> Self {
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

    /// Mints from now on.
    pub fn release(&self) {
        self.0.gate.close();
    }

    /// Token requests so far.
    pub fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// A cache over it.
    pub fn cache(&self) -> TokenCache {
        TokenCache::new(self.clone())
    }

    /// An authorizer without a token yet, that may show it to `origin`.
    pub fn authorizer(&self, origin: impl Into<String>) -> Authorizer {
        let builder = Authorizer::builder(self.cache());
        builder.origin(origin).build().unwrap()
    }

    /// The same, with its token at hand.
    pub async fn warm_authorizer(&self, origin: impl Into<String>) -> Authorizer {
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
