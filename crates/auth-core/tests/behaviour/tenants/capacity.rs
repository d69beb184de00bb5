//! The capacity and the time to idle of per-tenant authorizers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{Authorizer, Error, ErrorKind, TokenCache};
use auth_test_support::{scripted::Scripted, secs, settle};
use auth_testing::ManualClock;

use super::{Setting, Tenant, counted, own, tenant_of, token};

#[tokio::test]
async fn an_idle_tenant_is_evicted_and_gets_a_new_token_later() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    let (one, two) = (own("one"), own("two"));
    token(&authorizer, &one).await.unwrap();
    setting.clock.advance(secs(90));
    token(&authorizer, &two).await.unwrap();
    assert_eq!(token(&authorizer, &one).await.unwrap().unwrap(), "one-2");
}

/// The idle tenant has no requests, and no tenant is added. Requests of the other tenants evict it.
#[tokio::test]
async fn an_idle_tenant_is_evicted_although_no_new_one_is_added() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(10);
    for name in ["one", "two"] {
        token(&authorizer, &own(name)).await.unwrap();
    }
    for _ in 0..4 {
        setting.clock.advance(secs(50));
        token(&authorizer, &own("two")).await.unwrap();
    }
    assert_eq!(counted(&setting.authorizers, "one"), 1);
    let one = token(&authorizer, &own("one")).await.unwrap();
    assert_eq!(one.unwrap(), "one-2");
    assert_eq!(counted(&setting.authorizers, "one"), 2);
    assert_eq!(counted(&setting.authorizers, "two"), 1);
}

#[tokio::test]
async fn the_least_recently_used_tenant_is_evicted() {
    let setting = Setting::new();
    let authorizer = setting.authorizer(2);
    for name in ["one", "two", "one", "three"] {
        token(&authorizer, &own(name)).await.unwrap();
        setting.clock.advance(secs(1));
    }
    assert_eq!(
        token(&authorizer, &own("one")).await.unwrap().unwrap(),
        "one-1"
    );
    assert_eq!(
        token(&authorizer, &own("two")).await.unwrap().unwrap(),
        "two-2"
    );
}

#[tokio::test]
async fn a_tenant_without_an_authorizer_evicts_no_other() {
    const CAPACITY: usize = 80;
    let setting = Setting::new();
    let authorizer = setting.authorizer(CAPACITY);
    let good: Vec<_> = (0..CAPACITY).map(|i| own(&format!("good-{i}"))).collect();
    for request in &good {
        token(&authorizer, request).await.unwrap();
    }
    for i in 0..20 {
        let broken = own(&format!("broken-{i}"));
        assert!(token(&authorizer, &broken).await.is_err());
        for request in &good {
            token(&authorizer, request).await.unwrap();
        }
    }
    let issued: usize = setting.tokens.lock().unwrap().values().sum();
    assert_eq!(issued, CAPACITY);
}

/// Other tenants use the shared cache, which does not keep an idle tenant.
#[tokio::test]
async fn tenants_that_share_a_cache_are_evicted_too() {
    const TENANTS: usize = 200;
    const CAPACITY: usize = 10;
    let (source, made) = (Scripted::expires_in(86_400), Arc::new(AtomicUsize::new(0)));
    let (shared, counter) = (TokenCache::new(source.clone()), made.clone());
    let make = move |tenant: &Tenant| {
        counter.fetch_add(1, SeqCst);
        let builder = Authorizer::builder(shared.clone());
        builder
            .origin(format!("https://{}.example", tenant.0))
            .build()
    };
    let builder = Authorizer::per_tenant(tenant_of, make).max_capacity(CAPACITY);
    let authorizer = builder.clock(ManualClock::new()).build().unwrap();
    for _ in 0..2 {
        for i in 0..TENANTS {
            let token = token(&authorizer, &own(&format!("tenant-{i}"))).await;
            assert_eq!(token.unwrap().unwrap(), "t1");
        }
    }
    let made = made.load(SeqCst);
    assert!(
        made >= 2 * TENANTS - CAPACITY,
        "{made} authorizers made: too many were kept"
    );
    assert_eq!(source.requests(), 1);
}

/// Other tenants wait for the token request of the shared cache.
#[tokio::test]
async fn evicting_a_tenant_ends_no_token_request_of_a_shared_cache() {
    let source = Scripted::expires_in(86_400).hold();
    let shared = TokenCache::new(source.clone());
    let waiting = tokio::spawn({
        let shared = shared.clone();
        async move { shared.token().await.map(|token| token.secret().to_owned()) }
    });
    settle().await;
    assert_eq!(source.in_flight(), 1);
    let make = move |tenant: &Tenant| {
        let builder = Authorizer::builder(shared.clone());
        builder
            .origin(format!("https://{}.example", tenant.0))
            .build()
    };
    let builder = Authorizer::per_tenant(tenant_of, make).max_capacity(1);
    let authorizer = builder.clock(ManualClock::new()).build().unwrap();
    for name in ["one", "two", "three"] {
        let request = own(name);
        let mut call = tokio_test::task::spawn(token(&authorizer, &request));
        tokio_test::assert_pending!(call.poll());
    }
    source.release();
    assert_eq!(waiting.await.unwrap().unwrap(), "t1");
    assert_eq!(source.requests(), 1);
}

#[test]
fn limits_that_are_too_small_are_an_error() {
    let builder = || {
        let make = |_: &Tenant| Err(Error::new(ErrorKind::Configuration, "unused"));
        Authorizer::per_tenant(tenant_of, make)
    };
    let error = builder().max_capacity(0).build().unwrap_err().to_string();
    assert!(error.contains("at least 1"), "{error}");
    let error = builder().time_to_idle(Duration::ZERO).build().unwrap_err();
    assert!(error.to_string().contains("at least 1 s"), "{error}");
    assert!(builder().clock(ManualClock::new()).build().is_ok());
}
