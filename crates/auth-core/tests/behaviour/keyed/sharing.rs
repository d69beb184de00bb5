//! Which token requests share a cache.

use std::thread;

use auth_core::{TokenCache, TokenCaches, TokenRequest, TokenRequestBuilder};
use auth_testing::ManualClock;

use super::{Register, caches, fill, read, tenant};

/// Asserts that each token request has its own token.
async fn tell_apart(builders: impl IntoIterator<Item = TokenRequestBuilder>) {
    let source = Register::open();
    let tokens = caches(&source, &ManualClock::new());
    let requests = builders.into_iter().map(|builder| builder.build().unwrap());
    let requests: Vec<_> = requests.collect();
    for request in &requests {
        fill(&tokens, request).await;
    }
    for request in &requests {
        let header = read(&tokens, request).unwrap();
        assert_eq!(source.request_of(&header), *request);
    }
    assert_eq!(source.requests(), requests.len());
}

fn base() -> TokenRequestBuilder {
    TokenRequest::builder()
}

/// Reported elsewhere: azure#1225, Support#1396.
#[tokio::test]
async fn each_scope_has_a_token_of_its_own() {
    tell_apart([
        base(),
        base().scope("read"),
        base().scope("write"),
        base().scope("read write"),
    ])
    .await;
}

/// Reported elsewhere: yup-oauth2.
#[tokio::test]
async fn scopes_do_not_cancel_each_other_out() {
    let sets = ["a b", "c d", "a c", "b d", "ab", "a b c d"];
    tell_apart(sets.map(|scopes| base().scope(scopes))).await;
}

/// Reported elsewhere: Duende.
#[tokio::test]
async fn extra_parameters_distinguish_tokens() {
    tell_apart([
        base(),
        base().parameter("tenant", "1"),
        base().parameter("tenant", "2"),
        base().parameter("tenant1", ""),
        base().parameter("tenant", "1").parameter("region", "1"),
    ])
    .await;
}

#[tokio::test]
async fn equal_values_in_different_fields_are_different_requests() {
    tell_apart([
        base().scope("https://a/"),
        base().resource("https://a/"),
        base().audience("https://a/"),
        base().parameter("a", "https://a/"),
    ])
    .await;
}

/// Reported elsewhere: MSAL.NET#5743.
#[test]
fn no_tenant_is_given_the_token_of_another() {
    let source = Register::open();
    let builder = TokenCaches::builder(TokenCache::new(source.clone()));
    // a capacity so small that caches are evicted all the time
    let tokens = builder.max_capacity(8).build().unwrap();
    thread::scope(|scope| {
        for seed in 0..4 {
            let (tokens, source) = (&tokens, &source);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(seed);
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(async {
                    for _ in 0..500 {
                        let request = tenant(random.usize(..20));
                        let token = match read(tokens, &request) {
                            Some(header) => header,
                            None => fill(tokens, &request).await,
                        };
                        assert_eq!(source.request_of(&token), request);
                    }
                });
            });
        }
    });
}

#[tokio::test]
async fn equal_requests_share_a_token_however_they_were_built() {
    let source = Register::open();
    let tokens = caches(&source, &ManualClock::new());
    let one = base().scope("b a").parameter("x", "1").parameter("y", "2");
    let other = base()
        .scope("a")
        .parameter("y", "2")
        .parameter("x", "1")
        .scope("b");
    assert_eq!(fill(&tokens, &one.build().unwrap()).await, "t1");
    assert_eq!(
        read(&tokens, &other.build().unwrap()).as_deref(),
        Some("Bearer t1")
    );
}

#[tokio::test]
async fn the_token_request_of_the_default_cache_returns_the_default_cache() {
    let source = Register::open();
    let default = TokenCache::builder(source.clone())
        .request(tenant(7))
        .build();
    let tokens = TokenCaches::from(default.clone());
    default.token().await.unwrap();
    assert_eq!(read(&tokens, &tenant(7)).as_deref(), Some("Bearer t1"));
    assert_eq!(fill(&tokens, &tenant(7)).await, "t1");
    assert_eq!(tokens.default_cache().status().tokens_received, 1);
    assert_eq!(tokens.additional_caches(), 0);
    assert_eq!(
        read(&tokens, &TokenRequest::default()),
        None,
        "the token request differs from that of the default cache"
    );
    assert_eq!(fill(&tokens, &TokenRequest::default()).await, "t2");
}

#[tokio::test]
async fn clones_are_handles_to_the_same_caches() {
    let source = Register::open();
    let tokens = caches(&source, &ManualClock::new());
    fill(&tokens.clone(), &tenant(1)).await;
    assert_eq!(read(&tokens, &tenant(1)).as_deref(), Some("Bearer t1"));
}
