//! The capacity and the time to idle of `TokenCaches`.

use std::time::Duration;

use allocation_counter::measure;
use auth_core::{ErrorKind, TokenCaches};
use auth_test_support::secs;
use auth_testing::ManualClock;
use tokio::runtime::Builder;

use super::{Register, caches, default_cache, fill, read, tenant};

/// Reported elsewhere: MSAL.NET#3063.
#[test]
fn memory_does_not_grow_with_the_number_of_former_tenants() {
    let (source, clock) = (Register::open(), ManualClock::new());
    let builder = TokenCaches::builder(default_cache(&source, &clock));
    let tokens = builder.max_capacity(100).build().unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    let fill_all = |tenants: std::ops::Range<usize>| {
        for number in tenants {
            runtime.block_on(fill(&tokens, &tenant(number)));
            assert!(tokens.additional_caches() <= 100);
        }
        source.forget();
    };
    let of_hundred = measure(|| fill_all(0..100)).bytes_current;
    let of_two_thousand = measure(|| fill_all(100..2000)).bytes_current;
    assert!(of_hundred > 50_000, "{of_hundred} bytes");
    assert!(
        of_two_thousand < of_hundred / 2,
        "{of_two_thousand} bytes more"
    );
}

/// Reported elsewhere: MSAL.NET#3385.
#[tokio::test]
async fn of_15_000_resources_10_000_are_kept() {
    let tokens = caches(&Register::open(), &ManualClock::new());
    let mut max = 0;
    for number in 0..15_000 {
        drop(tokens.cache(&tenant(number)));
        max = max.max(tokens.additional_caches());
    }
    assert_eq!(max, 10_000);
    assert!(tokens.additional_caches() >= 10_000 - 10_000 / 8);
}

#[tokio::test]
async fn a_token_that_was_not_used_for_an_hour_is_evicted() {
    let (source, clock) = (Register::open(), ManualClock::new());
    let tokens = caches(&source, &clock);
    for number in 0..3 {
        drop(tokens.cache(&tenant(number)));
    }
    let held = tokens.cache(&tenant(2));
    clock.advance(secs(1800));
    assert_eq!(
        read(&tokens, &tenant(1)),
        None,
        "a cache without a token is in use as well"
    );
    clock.advance(secs(1802));
    drop(tokens.cache(&tenant(3)));
    assert_eq!(
        tokens.additional_caches(),
        3,
        "the recently used, the held and the new cache"
    );
    drop(held);
    clock.advance(secs(4000));
    drop(tokens.cache(&tenant(3)));
    assert_eq!(tokens.additional_caches(), 1);
}

#[tokio::test]
async fn a_request_whose_cache_was_evicted_gets_a_new_token() {
    let source = Register::open();
    let builder = TokenCaches::builder(default_cache(&source, &ManualClock::new()));
    let tokens = builder.max_capacity(1).build().unwrap();
    tokens.default_cache().token().await.unwrap();
    assert_eq!(fill(&tokens, &tenant(0)).await, "t2");
    assert_eq!(fill(&tokens, &tenant(1)).await, "t3");
    assert_eq!(read(&tokens, &tenant(0)), None);
    assert_eq!(fill(&tokens, &tenant(0)).await, "t4");
    assert!(
        tokens.default_cache().cached().is_some(),
        "the default cache is never evicted"
    );
}

#[test]
fn a_hit_allocates_nothing() {
    let tokens = caches(&Register::open(), &ManualClock::new());
    let runtime = Builder::new_current_thread().build().unwrap();
    let (own, equal) = (tenant(0), tenant(0));
    runtime.block_on(fill(&tokens, &own));
    for request in [&own, &equal] {
        let allocated = measure(|| assert!(tokens.cached(request).is_some()));
        assert_eq!(allocated.count_total, 0);
    }
}

#[test]
fn limits_that_are_too_small_are_an_error() {
    let builder = || TokenCaches::builder(default_cache(&Register::open(), &ManualClock::new()));
    for (invalid, expected) in [
        (builder().max_capacity(0), "max_capacity: expected"),
        (
            builder().time_to_idle(Duration::from_millis(999)),
            "time_to_idle: expected",
        ),
    ] {
        let error = invalid.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
