//! A `TokenSource` that wraps another one: it reads the inner response and changes it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{Error, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secrets::{Canned, grant},
    secs,
};
use auth_testing::ManualClock;

/// The members of a response that the decorator has read.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Seen {
    access_token: String,
    expires_in: Option<Duration>,
    scopes: Option<String>,
}

/// Halves the lifetime of each token.
#[derive(Clone, Debug)]
struct HalfLife<S> {
    inner: S,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl<S> HalfLife<S> {
    fn new(inner: S) -> Self {
        let seen = Arc::default();
        Self { inner, seen }
    }
}

#[async_trait]
impl<S: TokenSource> TokenSource for HalfLife<S> {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let response = self.inner.fetch(request).await?;
        self.seen.lock().unwrap().push(Seen {
            access_token: response.access_token().to_owned(),
            expires_in: response.expires_in(),
            scopes: response.scopes().map(ToString::to_string),
        });
        Ok(match response.expires_in() {
            Some(lifetime) => response.with_expires_in(lifetime / 2),
            None => response,
        })
    }

    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        self.inner.effective_request(request)
    }

    async fn credentials_changed(&self) -> bool {
        self.inner.credentials_changed().await
    }
}

#[tokio::test]
async fn a_decorator_reads_and_changes_the_response_of_the_inner_source() {
    let inner = grant(Canned(
        200,
        r#"{"access_token":"abc","token_type":"Bearer","expires_in":600,"scope":"b a"}"#,
    ));
    let (source, clock) = (HalfLife::new(inner), ManualClock::new());
    let builder = TokenCache::builder(source.clone());
    let tokens = builder.clock(clock.clone()).build();
    let token = tokens.token().await.unwrap();
    let seen = Seen {
        access_token: "abc".to_owned(),
        expires_in: Some(secs(600)),
        scopes: Some("a b".to_owned()),
    };
    assert_eq!(*source.seen.lock().unwrap(), [seen]);
    assert_eq!(token.secret(), "abc");
    assert_eq!(token.scopes().to_string(), "a b");
    assert!(tokens.status().usable_for.unwrap() < secs(300));
    clock.advance(secs(300));
    assert!(tokens.cached().is_none(), "half of the lifetime has passed");
}

#[tokio::test]
async fn members_that_the_inner_source_did_not_state_are_none() {
    let source = HalfLife::new(Scripted::always(Answer::NoExpiresIn));
    source.fetch(&TokenRequest::default()).await.unwrap();
    let seen = source.seen.lock().unwrap();
    assert_eq!((seen[0].expires_in, &seen[0].scopes), (None, &None));
}

#[test]
fn a_decorator_keeps_the_defaults_of_the_inner_source_in_the_key() {
    let secret = auth_core::ClientAuthentication::client_secret_post("s3cr3t");
    let inner = auth_core::ClientCredentials::builder("https://as.example/token", "client", secret);
    let inner = inner.scope("read").build(Canned(200, "{}")).unwrap();
    let given = TokenRequest::builder().audience("a").build().unwrap();
    let effective = TokenRequest::builder().audience("a").scope("read");
    let effective = effective.build().unwrap();
    assert_eq!(inner.effective_request(&given), effective);
    let decorated: Arc<dyn TokenSource> = Arc::new(HalfLife::new(Arc::new(inner)));
    assert_eq!(decorated.effective_request(&given), effective);
    assert_eq!(decorated.effective_request(&effective), effective);
}
