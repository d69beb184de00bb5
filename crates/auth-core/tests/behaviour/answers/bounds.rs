//! The answers of a server are bounded before they are cached and stored.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use auth_core::{
    Error, ErrorKind, Scopes, TokenCache, TokenRequest, TokenResponse, TokenSource,
    shared_store::{SharedKey, SharedToken, SharedTokenStore},
};
use auth_test_support::with_timeout;
use auth_testing::{MemoryStore, TokioClock};

use super::{Answer, DENIAL, token_with};

const MAX_TOKEN: usize = 64 * 1024;
const MAX_SCOPES: usize = 16 * 1024;

fn token_of(length: usize) -> Answer {
    let token = "x".repeat(length);
    Answer::new(
        200,
        format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#),
    )
}

#[tokio::test]
async fn a_token_over_64_kib_is_an_error() {
    assert_eq!(
        token_of(MAX_TOKEN).token().await.access_token().len(),
        MAX_TOKEN
    );
    let error = token_of(MAX_TOKEN + 1).error().await;
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("at most 64 KiB"), "{error}");
    assert!(
        format!("{error:?}").len() < 2048,
        "the error does not show the token"
    );
    assert!(TokenResponse::bearer("x".repeat(MAX_TOKEN)).is_ok());
    let error = TokenResponse::bearer("x".repeat(MAX_TOKEN + 1)).unwrap_err();
    assert!(error.to_string().contains("at most 64 KiB"), "{error}");
    assert!(SharedToken::bearer("x".repeat(MAX_TOKEN + 1)).is_err());
}

#[tokio::test]
async fn scopes_over_16_kib_are_an_error() {
    let answer = |length: usize| {
        let scopes: String = "abcdefg ".chars().cycle().take(length).collect();
        token_with(&format!(r#","scope":"{scopes}""#))
    };
    answer(MAX_SCOPES).token().await;
    for answer in [
        answer(MAX_SCOPES + 1),
        token_with(&format!(r#","scope":["{}","b"]"#, "a".repeat(MAX_SCOPES))),
        token_with(&format!(
            r#","scope":"{}""#,
            "\\u0061".repeat(MAX_SCOPES + 1)
        )),
    ] {
        let error = answer.error().await;
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(error.to_string().contains("at most 16 KiB"), "{error}");
    }
}

/// Issues a token with these scopes.
#[derive(Clone, Debug)]
struct ManyScopes(Scopes, Arc<AtomicUsize>);

#[async_trait]
impl TokenSource for ManyScopes {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.1.fetch_add(1, SeqCst);
        Ok(TokenResponse::bearer("tok1")?.with_scopes(self.0.clone()))
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["many scopes"], request))
    }
}

fn many_scopes(length: usize) -> ManyScopes {
    ManyScopes("x".repeat(length).parse().unwrap(), Arc::default())
}

#[tokio::test(start_paused = true)]
async fn scopes_of_another_source_are_bounded_before_they_are_cached_and_stored() {
    let store = Arc::new(MemoryStore::new());
    let cache = |source: ManyScopes| {
        TokenCache::builder(source)
            .shared_store(store.clone())
            .clock(TokioClock::new())
            .build()
    };
    let source = many_scopes(MAX_SCOPES + 1);
    let tokens = cache(source.clone());
    let error = with_timeout(tokens.token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("at most 16 KiB"), "{error}");
    assert!(DENIAL.contains(&error.retry_after().unwrap().as_secs_f64()));
    with_timeout(tokens.flush()).await;
    let key = source.shared_key(&TokenRequest::default()).unwrap();
    assert!(store.load(&key).await.unwrap().is_none());
    with_timeout(cache(many_scopes(MAX_SCOPES)).token())
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stored_token_with_scopes_that_are_too_large_counts_as_absent() {
    let store = Arc::new(MemoryStore::new());
    let source = many_scopes(1);
    let key = source.shared_key(&TokenRequest::default()).unwrap();
    let stored = SharedToken::bearer("stored")
        .unwrap()
        .with_lifetime(auth_test_support::secs(600))
        .with_scope(&"x".repeat(MAX_SCOPES + 1));
    store.save(&key, &stored).await.unwrap();
    let tokens = TokenCache::builder(source.clone())
        .shared_store(store)
        .clock(TokioClock::new())
        .build();
    let token = with_timeout(tokens.token()).await.unwrap();
    assert_eq!(token.secret(), "tok1");
    assert_eq!(source.1.load(SeqCst), 1);
}
