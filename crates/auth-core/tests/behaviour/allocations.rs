//! The cost of a read that finds a cached token: no allocation, no wait and no task. The memory of a key, and
//! of a caller that waits.
//!
//! The reads run outside a runtime, so that they can neither spawn a task nor wait for a timer.

use allocation_counter::measure;
use auth_core::{TokenCache, TokenCaches, TokenRequest};
use auth_test_support::{scripted::Scripted, secs};
use auth_testing::ManualClock;
use futures_util::FutureExt;
use tokio::runtime::Builder;

/// A cache with a token, and the runtime that fetched it.
fn warm(source: &Scripted, clock: &ManualClock) -> (TokenCache, tokio::runtime::Runtime) {
    let tokens = TokenCache::builder(source.clone())
        .clock(clock.clone())
        .build();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(tokens.token()).unwrap();
    (tokens, runtime)
}

fn allocations(job: impl FnOnce()) -> u64 {
    measure(job).count_total
}

/// Returns the allocations of a hit: of `cached`, and of `token`, whose future is ready at its first poll.
fn of_a_hit(tokens: &TokenCache) -> (u64, u64) {
    let cached = allocations(|| assert!(tokens.cached().is_some()));
    let token = allocations(|| {
        let first_poll = tokens.token().now_or_never();
        assert!(first_poll.is_some_and(|outcome| outcome.is_ok()));
    });
    (cached, token)
}

#[test]
fn a_hit_allocates_nothing_and_is_ready_at_the_first_poll() {
    let (tokens, _) = warm(&Scripted::expires_in(600), &ManualClock::new());
    assert_eq!(of_a_hit(&tokens), (0, 0));
}

#[test]
fn another_thread_that_reads_the_token_often_copies_it_once() {
    let (tokens, _) = warm(&Scripted::expires_in(600), &ManualClock::new());
    assert_eq!(of_a_hit(&tokens), (0, 0));
    let counts = std::thread::scope(|scope| {
        let tokens = &tokens;
        let often = move || allocations(|| (0..100).for_each(|_| drop(tokens.cached())));
        let reads = scope.spawn(move || (often(), of_a_hit(tokens)));
        reads.join().unwrap()
    });
    assert!(counts.0 > 0, "the counter works");
    assert_eq!(counts.1, (0, 0));
}

#[test]
fn a_read_of_a_stale_token_allocates_nothing_while_its_refresh_is_in_flight() {
    let source = Scripted::expires_in(600);
    let clock = ManualClock::new();
    let (tokens, runtime) = warm(&source, &clock);
    let source = source.hold();
    clock.advance(secs(490));
    runtime.block_on(async { assert!(tokens.cached().is_some()) });
    assert!(tokens.status().stale && tokens.status().in_flight);
    assert_eq!(of_a_hit(&tokens), (0, 0));
    assert!(source.requests() <= 2);
}

/// The future of an `async fn` contained parts of its state twice, and took 576 bytes.
#[test]
fn a_caller_that_waits_takes_few_bytes() {
    let tokens = TokenCache::new(Scripted::expires_in(600));
    let size = size_of_val(&tokens.token());
    assert!(size <= 448, "{size} bytes");
}

/// Without the token, whose header takes 900 bytes in the example of the documentation of `TokenCaches`.
#[test]
fn a_key_takes_a_kilobyte_beside_its_token() {
    const KEYS: u32 = 1_000;
    let source = Scripted::expires_in(600);
    let default = TokenCache::builder(source)
        .clock(ManualClock::new())
        .build();
    let tokens = TokenCaches::from(default);
    let runtime = Builder::new_current_thread().build().unwrap();
    let fill = || {
        for key in 0..KEYS {
            let audience = format!("https://tenant-{key}.example.com");
            let request = TokenRequest::builder().audience(audience).build().unwrap();
            runtime.block_on(tokens.cache(&request).token()).unwrap();
        }
    };
    let held = measure(fill).bytes_current / i64::from(KEYS);
    assert!((500..=1_024).contains(&held), "{held} bytes");
}
