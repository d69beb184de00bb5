//! The key of a token is the effective request: the given one, completed by the source's defaults.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, Error,
    HttpTransport, TokenCache, TokenCaches, TokenRequest, TransportBody, async_trait,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

/// Issues `t1`, `t2`, …
#[derive(Clone, Debug, Default)]
struct Server(Arc<AtomicUsize>);

impl Server {
    fn requests(&self) -> usize {
        self.0.load(SeqCst)
    }

    fn grant(&self) -> ClientCredentialsBuilder {
        let secret = ClientAuthentication::client_secret_basic("s3cr3t");
        ClientCredentials::builder("https://as.example/token", "client", secret)
    }

    fn caches(
        &self,
        with: impl Fn(ClientCredentialsBuilder) -> ClientCredentialsBuilder,
    ) -> TokenCaches {
        let grant = with(self.grant()).build(self.clone()).unwrap();
        TokenCaches::from(TokenCache::new(grant))
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, _request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let number = self.0.fetch_add(1, SeqCst) + 1;
        let body =
            format!(r#"{{"access_token":"t{number}","token_type":"Bearer","expires_in":600}}"#);
        Ok(Response::new(TransportBody::new(Full::new(Bytes::from(
            body,
        )))))
    }
}

fn request() -> auth_core::TokenRequestBuilder {
    TokenRequest::builder()
}

async fn secret(tokens: &TokenCaches, request: &TokenRequest) -> String {
    let token = tokens.cache(request).token().await.unwrap();
    token.secret().to_owned()
}

#[tokio::test]
async fn the_default_scope_given_explicitly_is_the_default_token() {
    let server = Server::default();
    let tokens = server.caches(|grant| grant.scope("read write"));
    assert_eq!(tokens.default_cache().token().await.unwrap().secret(), "t1");
    for given in [
        request().scope("read write"),
        request().scope("write read"),
        request(),
    ] {
        let given = given.build().unwrap();
        assert_eq!(secret(&tokens, &given).await, "t1", "{given:?}");
        assert!(tokens.cached(&given).is_some());
    }
    assert_eq!((server.requests(), tokens.additional_caches()), (1, 0));
}

#[tokio::test]
async fn every_member_that_the_source_fills_in_takes_part_in_the_key() {
    let server = Server::default();
    let tokens = server.caches(|grant| {
        grant
            .scope("read")
            .resource("https://r.example")
            .audience("a")
            .parameter("tenant", "1")
    });
    let other = || request().audience("b");
    let mut secrets = Vec::new();
    for given in [
        other(),
        other().scope("read"),
        other().resource("https://r.example"),
        other().parameter("tenant", "1"),
        other()
            .scope("read")
            .resource("https://r.example")
            .parameter("tenant", "1"),
    ] {
        secrets.push(secret(&tokens, &given.build().unwrap()).await);
    }
    assert_eq!(secrets, ["t1"; 5]);
    assert_eq!((server.requests(), tokens.additional_caches()), (1, 1));
    // and what differs after the defaults stays apart
    for (different, token) in [
        (other().scope("write"), "t2"),
        (other().parameter("tenant", "2"), "t3"),
        (other().parameter("region", "1"), "t4"),
        (request(), "t5"),
    ] {
        assert_eq!(secret(&tokens, &different.build().unwrap()).await, token);
    }
    assert_eq!(
        tokens.additional_caches(),
        4,
        "the last one is the default cache"
    );
}

#[tokio::test]
async fn a_token_bound_to_an_origin_is_not_sent_elsewhere_under_the_name_of_the_default() {
    let server = Server::default();
    let grant = server
        .grant()
        .scope("orders")
        .build(server.clone())
        .unwrap();
    let authorizer = Authorizer::builder(TokenCache::new(grant))
        .origin_with(
            "https://orders.example",
            request().scope("orders").build().unwrap(),
        )
        .origin("https://other.example")
        .build()
        .unwrap();
    let decide = async |uri: &str, picked: Option<TokenRequest>| {
        let mut request = Request::get(uri).body(()).unwrap();
        if let Some(picked) = picked {
            request.extensions_mut().insert(picked);
        }
        match authorizer.authorize(&request) {
            auth_core::adapter::Decision::Wait(attempt) => attempt.await.map(|_| ()),
            auth_core::adapter::Decision::Authorize(_) => Ok(()),
            auth_core::adapter::Decision::PassThrough(_) => panic!("the origin is listed"),
        }
    };
    decide("https://orders.example/", None).await.unwrap();
    let picks = [
        None,
        Some(TokenRequest::default()),
        Some(request().scope("orders").build().unwrap()),
    ];
    for picked in picks {
        // twice: without and with a token in the cache
        for _ in 0..2 {
            decide("https://orders.example/", picked.clone())
                .await
                .unwrap();
            let error = decide("https://other.example/", picked.clone()).await;
            let error = error.unwrap_err().to_string();
            assert!(error.contains("https://orders.example"), "{error}");
        }
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn two_given_requests_that_are_one_can_be_bound_to_one_origin() {
    let server = Server::default();
    let grant = server
        .grant()
        .scope("orders")
        .build(server.clone())
        .unwrap();
    let builder = Authorizer::builder(TokenCache::new(grant))
        .origin_with(
            "https://orders.example",
            request().scope("orders").build().unwrap(),
        )
        .origin_with("https://orders.example", TokenRequest::default());
    assert!(builder.build().is_ok());
}

/// A source that completes every request with `scope`, and counts how often it is asked to.
#[derive(Debug)]
struct Completing {
    asked: AtomicUsize,
    requests: AtomicUsize,
    panics: bool,
}

impl Completing {
    fn new(panics: bool) -> Arc<Self> {
        Arc::new(Self {
            asked: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            panics,
        })
    }
}

#[async_trait]
impl auth_core::TokenSource for Completing {
    async fn fetch(&self, asked: &TokenRequest) -> Result<auth_core::TokenResponse, Error> {
        let number = self.requests.fetch_add(1, SeqCst) + 1;
        let token = format!("t{number}.{}", asked.scopes());
        let lifetime = std::time::Duration::from_secs(600);
        Ok(auth_core::TokenResponse::bearer(token)?.with_expires_in(lifetime))
    }

    fn effective_request(&self, given: &TokenRequest) -> TokenRequest {
        self.asked.fetch_add(1, SeqCst);
        assert!(!self.panics, "s3cr3t");
        if !given.scopes().is_empty() {
            return given.clone();
        }
        let audience = given.audience().unwrap_or("none").to_owned();
        request()
            .scope("default")
            .audience(audience)
            .build()
            .unwrap()
    }
}

fn audience(number: usize) -> TokenRequest {
    request().audience(format!("a{number}")).build().unwrap()
}

#[tokio::test]
async fn a_hit_by_a_given_request_does_not_call_the_source_and_allocates_nothing() {
    let source = Completing::new(false);
    let tokens = TokenCaches::from(TokenCache::new(source.clone()));
    let (own, equal) = (audience(1), audience(1));
    assert_eq!(secret(&tokens, &own).await, "t1.default");
    let asked = source.asked.load(SeqCst);
    for request in [&own, &equal] {
        let allocated = allocation_counter::measure(|| {
            assert!(tokens.cached(request).is_some());
        });
        assert_eq!(allocated.count_total, 0);
    }
    for _ in 0..10 {
        drop(tokens.cache(&equal));
    }
    assert_eq!(source.asked.load(SeqCst), asked);
}

#[tokio::test]
async fn a_source_whose_effective_request_panics_uses_the_given_one() {
    let source = Completing::new(true);
    let tokens = TokenCaches::from(TokenCache::new(source.clone()));
    assert_eq!(secret(&tokens, &audience(1)).await, "t1.");
    assert_eq!(secret(&tokens, &audience(2)).await, "t2.");
    assert_eq!(secret(&tokens, &audience(1)).await, "t1.");
}

/// Returns another given request for the token of [`audience`].
fn alias(number: usize) -> TokenRequest {
    let request = request().audience(format!("a{number}"));
    request.scope("default").build().unwrap()
}

#[tokio::test]
async fn aliases_take_no_capacity_from_caches() {
    let source = Completing::new(false);
    let clock = auth_testing::ManualClock::new();
    let cache = TokenCache::builder(source.clone()).clock(clock.clone());
    let builder = TokenCaches::builder(cache.build());
    let tokens = builder.max_capacity(8).build().unwrap();
    for _ in 0..20 {
        for number in 0..8 {
            secret(&tokens, &audience(number)).await;
            secret(&tokens, &alias(number)).await;
            clock.advance(std::time::Duration::from_secs(1));
        }
    }
    assert_eq!(source.requests.load(SeqCst), 8);
    assert_eq!(tokens.additional_caches(), 8);
    // a ninth one evicts one cache, with all its keys
    secret(&tokens, &audience(8)).await;
    assert_eq!(tokens.additional_caches(), 8);
    assert!(tokens.cached(&audience(0)).is_none() && tokens.cached(&alias(0)).is_none());
    assert!(tokens.cached(&audience(1)).is_some() && tokens.cached(&alias(1)).is_some());
}

#[tokio::test]
async fn a_cache_that_is_used_by_an_alias_only_is_not_idle() {
    let (source, clock) = (Completing::new(false), auth_testing::ManualClock::new());
    let cache = TokenCache::builder(source.clone()).clock(clock.clone());
    let hour = std::time::Duration::from_secs(3600);
    let tokens = TokenCaches::from(cache.build());
    for number in 0..2 {
        secret(&tokens, &alias(number)).await;
        secret(&tokens, &audience(number)).await;
    }
    for _ in 0..10 {
        clock.advance(hour / 2);
        secret(&tokens, &audience(0)).await;
    }
    assert_eq!(tokens.additional_caches(), 1, "the other one was idle");
    // the key of the cache was not used for hours, and is still there
    assert!(tokens.cached(&alias(0)).is_some());
    clock.advance(3 * hour);
    secret(&tokens, &audience(7)).await;
    assert_eq!(tokens.additional_caches(), 1);
}

#[tokio::test]
async fn a_held_handle_by_an_alias_keeps_the_cache() {
    let source = Completing::new(false);
    let builder = TokenCaches::builder(TokenCache::new(source.clone()));
    let tokens = builder.max_capacity(1).build().unwrap();
    let held = tokens.cache(&audience(0));
    held.token().await.unwrap();
    for number in 1..5 {
        secret(&tokens, &audience(number)).await;
    }
    assert_eq!(tokens.cache(&audience(0)).status().tokens_received, 1);
    drop(held);
    for number in 1..5 {
        secret(&tokens, &audience(number)).await;
    }
    assert_eq!(tokens.additional_caches(), 1);
    assert_eq!(tokens.cache(&audience(0)).status().tokens_received, 0);
}

/// Users choose given requests, and each takes an entry, up to a bound.
#[tokio::test]
async fn the_memory_of_aliases_is_bounded() {
    /// All given requests are one.
    #[derive(Debug)]
    struct One;

    #[async_trait]
    impl auth_core::TokenSource for One {
        async fn fetch(&self, _: &TokenRequest) -> Result<auth_core::TokenResponse, Error> {
            auth_core::TokenResponse::bearer("one")
        }

        fn effective_request(&self, _: &TokenRequest) -> TokenRequest {
            request().scope("one").build().unwrap()
        }
    }

    let default = TokenCache::new(One);
    let tokens = TokenCaches::builder(default)
        .max_capacity(50)
        .build()
        .unwrap();
    tokens.default_cache().token().await.unwrap();
    let fill = |numbers: std::ops::Range<usize>| {
        allocation_counter::measure(|| {
            for number in numbers {
                drop(tokens.cache(&audience(number)));
            }
        })
        .bytes_current
    };
    let first = fill(0..300);
    let further = fill(300..20_000);
    assert_eq!(tokens.additional_caches(), 0);
    assert!(first > 0 && further < first, "{first} and {further} bytes");
    assert_eq!(tokens.cache(&audience(3)).status().tokens_received, 1);
}
