//! Threads read the token while it is replaced repeatedly.
//!
//! To run it under a sanitizer: `cargo test -p auth-core --test behaviour cache::stress`.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use auth_core::{
    Authorization, Error, TokenCache, TokenRequest, TokenResponse, TokenSource, async_trait,
    time::{Clock, Now, Sleep},
};
use auth_test_support::settle;
use futures_util::FutureExt;
use tokio::runtime::Builder;

const REPLACEMENTS: u64 = 4000;
const READERS: usize = 4;
/// The number of headers that a reader keeps, until long after the cache has dropped their tokens.
const HELD: usize = 64;
const LIFETIME: Duration = Duration::from_secs(3);
/// An age at which a token is certainly stale and not expired: from 1.55 s to 2 s.
const STALE_AGE: Duration = Duration::from_millis(1700);

/// A clock without a lock. Nothing sleeps on it, because the source answers at once.
#[derive(Clone, Debug, Default)]
struct Milliseconds(Arc<AtomicU64>);

impl Clock for Milliseconds {
    fn now(&self) -> Now {
        let time = Duration::from_millis(self.0.load(SeqCst));
        Now {
            monotonic: time,
            wall: time,
        }
    }

    fn sleep_until(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

/// Issues tokens that consist of repetitions of their number.
#[derive(Debug, Default)]
struct Numbered(AtomicU64);

fn nth(number: u64) -> String {
    format!("{number:08x}").repeat(100)
}

#[async_trait]
impl TokenSource for Numbered {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = self.0.fetch_add(1, SeqCst) + 1;
        Ok(TokenResponse::bearer(nth(number))?.with_expires_in(LIFETIME))
    }
}

/// Asserts that the header is the complete token of its generation, and returns the generation.
fn whole(authorization: &Authorization) -> u64 {
    let generation = authorization.generation();
    let header = authorization.header().to_str().unwrap();
    assert_eq!(
        header.strip_prefix("Bearer "),
        Some(nth(generation).as_str())
    );
    generation
}

/// Set when a thread ends, also by a panic, so that no other thread waits for it.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Reads until a thread ends. `seen` is the latest generation that this reader has read.
fn read(tokens: &TokenCache, seen: &AtomicU64, ended: &AtomicBool) {
    let _ends = Ends(ended);
    let mut held = VecDeque::with_capacity(HELD);
    while !ended.load(SeqCst) {
        let authorization = tokens.cached().expect("a usable token is cached");
        let generation = whole(&authorization);
        assert!(
            generation >= seen.load(SeqCst),
            "an older token was read: {generation}"
        );
        let token = tokens
            .token()
            .now_or_never()
            .expect("a usable token is cached")
            .unwrap();
        let next = whole(&token.authorization());
        assert!(next >= generation, "it went back to {next}");
        assert_eq!(token.secret(), nth(next));
        seen.store(next, SeqCst);
        if held.len() == HELD {
            held.pop_front().as_ref().map(whole);
        }
        held.push_back(authorization);
    }
}

#[test]
fn readers_on_other_threads_read_complete_tokens_and_never_an_older_one() {
    let clock = Milliseconds::default();
    let tokens = TokenCache::builder(Numbered::default())
        .clock(clock.clone())
        .build();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(tokens.token()).unwrap();
    let ended = AtomicBool::new(false);
    let seen: [AtomicU64; READERS] = Default::default();
    thread::scope(|scope| {
        for seen in &seen {
            scope.spawn(|| read(&tokens, seen, &ended));
        }
        let _ends = Ends(&ended);
        for generation in 1..=REPLACEMENTS {
            clock
                .0
                .fetch_add(u64::try_from(STALE_AGE.as_millis()).unwrap(), SeqCst);
            runtime.block_on(async {
                assert_eq!(tokens.cached().unwrap().generation(), generation);
                settle().await;
            });
            assert_eq!(tokens.status().tokens_received, generation + 1);
            // from time to time every thread waits for it
            let behind = |seen: &AtomicU64| seen.load(SeqCst) <= generation;
            while generation % 50 == 0 && seen.iter().any(behind) && !ended.load(SeqCst) {
                thread::yield_now();
            }
        }
        assert!(!ended.load(SeqCst), "a reader ended");
    });
}
