//! Durations at their maximum overflow nowhere.

use std::time::Duration;

use auth_core::{
    Authorizer, Error, ErrorKind, RefreshPolicy, RefreshPolicyBuilder, TokenCache, TokenCaches,
    TokenRequest,
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs,
};
use auth_testing::ManualClock;
use http::Request;

const MAX: Duration = Duration::MAX;

#[tokio::test]
async fn caches_may_be_idle_for_ever() {
    let clock = ManualClock::new();
    let cache = TokenCache::builder(Scripted::expires_in(600)).clock(clock.clone());
    let builder = TokenCaches::builder(cache.build());
    let tokens = builder.time_to_idle(MAX).max_capacity(2).build().unwrap();
    for number in 0..5 {
        let request = TokenRequest::builder().audience(format!("a{number}"));
        let request = request.build().unwrap();
        tokens.cache(&request).token().await.unwrap();
        assert!(tokens.cached(&request).is_some());
        clock.advance(secs(100_000));
    }
    clock.advance(MAX);
    let _ = tokens.cache(&TokenRequest::builder().audience("b").build().unwrap());
}

#[tokio::test]
async fn tenants_may_be_idle_for_ever() {
    let clock = ManualClock::new();
    let tenant = |request: &auth_core::RequestHead<'_>| request.extension::<u32>().copied();
    let make = |_: &u32| {
        let cache = TokenCache::new(Scripted::expires_in(600));
        Authorizer::builder(cache)
            .origin("https://api.example")
            .build()
    };
    let builder = Authorizer::per_tenant(tenant, make).time_to_idle(MAX);
    let builder = builder.max_capacity(2).clock(clock.clone());
    let authorizer = builder.build().unwrap();
    for number in 0..5_u32 {
        let request = Request::get("https://api.example/").extension(number);
        let _ = authorizer.authorize(&request.body(()).unwrap());
        clock.advance(secs(100_000));
    }
}

/// Each setting of the policy at the longest value that it accepts.
#[tokio::test]
async fn every_setting_of_the_policy_at_its_maximum() {
    const YEARS: Duration = Duration::from_secs(100 * 365 * 86_400);
    type Set = fn(RefreshPolicyBuilder, Duration) -> RefreshPolicyBuilder;
    let settings: [(&str, Set); 10] = [
        ("margin", |p, max| p.margin(0.5, max).window(0.1, max)),
        ("min_margin", |p, max| p.min_margin(max)),
        ("window", |p, max| p.window(0.5, max)),
        ("default_lifetime", |p, max| p.default_lifetime(max)),
        ("attempt_timeout", |p, max| p.attempt_timeout(max)),
        ("backoff", |p, max| p.backoff(max..=max)),
        ("max_backoff", |p, max| p.max_backoff_without_token(max)),
        ("denied_backoff", |p, max| p.denied_backoff(max..=max)),
        ("retry_after", |p, max| p.max_retry_after(max)),
        ("all", |p, max| {
            p.attempt_timeout(max)
                .backoff(max..=max)
                .denied_backoff(max..=max)
                .default_lifetime(max)
                .max_backoff_without_token(max)
        }),
    ];
    let late = MAX - secs(1);
    for (name, set) in settings {
        for max in [MAX, YEARS, secs(3600)] {
            let Ok(policy) = set(RefreshPolicy::builder(), max).build() else {
                continue;
            };
            for start in [Duration::ZERO, late] {
                for answer in [
                    Answer::ExpiresIn(MAX),
                    Answer::NoExpiresIn,
                    Answer::fails(ErrorKind::Denied),
                    Answer::fails(ErrorKind::Unavailable),
                    Answer::Fails(
                        Error::new(ErrorKind::Unavailable, "busy").with_server_retry_after(MAX),
                    ),
                    Answer::Fails(Error::new(ErrorKind::Denied, "no").with_server_retry_after(MAX)),
                ] {
                    let clock = ManualClock::new();
                    clock.advance(start);
                    let source = Scripted::always(answer.clone());
                    let builder = TokenCache::builder(source.clone());
                    let builder = builder.refresh_policy(policy.clone());
                    let tokens = builder.clock(clock.clone()).build();
                    let first = tokens.token().await;
                    assert_ne!(
                        first.as_ref().map_err(Error::kind).err(),
                        Some(ErrorKind::Panicked),
                        "{name}, {max:?}, {answer:?}"
                    );
                    let _ = tokens.status();
                    if let Ok(token) = &first {
                        let _ = token.expires_at();
                        let _ = tokens.reject(token);
                    }
                    clock.advance(MAX);
                    let _ = tokens.cached();
                    let _ = tokens.status();
                    tokens.clear_backoff();
                    auth_test_support::settle().await;
                    assert!(source.requests() > 0);
                }
            }
        }
    }
}

/// A store that is as patient as can be, and whose tokens live and have lived as long as can be.
#[tokio::test(start_paused = true)]
async fn a_shared_store_at_its_maximum() {
    use auth_core::{
        TokenResponse, TokenSource, async_trait,
        shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
    };
    use auth_testing::{MemoryStore, TokioClock};

    #[derive(Debug)]
    struct Patient(MemoryStore);

    #[async_trait]
    impl SharedTokenStore for Patient {
        async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
            self.0.load(key).await
        }

        async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
            self.0.save(key, token).await
        }

        async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
            self.0.lease(key).await
        }

        async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
            self.0.changed(key).await
        }

        fn patience(&self) -> Duration {
            MAX
        }
    }

    #[derive(Debug)]
    struct Shareable(Scripted);

    #[async_trait]
    impl TokenSource for Shareable {
        async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
            self.0.fetch(request).await
        }

        fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
            Some(SharedKey::new(["scripted"], request))
        }
    }

    let key = SharedKey::new(["scripted"], &TokenRequest::default());
    for (lifetime, age) in [
        (MAX, Duration::ZERO),
        (MAX, MAX),
        (secs(600), MAX),
        (MAX, secs(5)),
    ] {
        let store = MemoryStore::with_lease(MAX);
        let token = SharedToken::bearer("saved").unwrap();
        let token = token.with_lifetime(lifetime).with_age(age);
        store.save(&key, &token).await.unwrap();
        let source = Shareable(Scripted::always(Answer::ExpiresIn(MAX)));
        let builder = TokenCache::builder(source).shared_store(Patient(store));
        let tokens = builder.clock(TokioClock::new()).build();
        tokens.token().await.unwrap();
        tokens.flush().await;
    }
}
