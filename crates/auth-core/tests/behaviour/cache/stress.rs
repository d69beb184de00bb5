//! Real threads read while the token is replaced, again and again.
//!
//! For a sanitizer's eyes: `cargo test -p auth-core --test behaviour cache::stress`.

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
/// A reader keeps so many headers, until long after the cache has forgotten their tokens.
const HELD: usize = 64;
const LIFETIME: Duration = Duration::from_secs(3);
/// Certainly stale, and certainly not expired: from 1.55 s to 2 s.
const DUE: Duration = Duration::from_millis(1700);

/// Moved without a lock, and never slept on: the source below answers at once.
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

/// Mints tokens that say, all over, which they are.
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

/// Checks that this is the token of its generation, whole, and returns that.
fn whole(authorization: &Authorization) -> u64 {
    let generation = authorization.generation();
    let header = authorization.header().to_str().unwrap();
    assert_eq!(
        header.strip_prefix("Bearer "),
        Some(nth(generation).as_str())
    );
    generation
}

/// Set by a thread that ends, in a panic too, so that no other thread waits for it.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Reads until a thread ends; `seen` tells the writer how far it is.
fn read(tokens: &TokenCache, seen: &AtomicU64, ended: &AtomicBool) {
    let _ends = Ends(ended);
    let mut held = VecDeque::with_capacity(HELD);
    while !ended.load(SeqCst) {
        let authorization = tokens.cached().expect("nobody is without a token");
        let generation = whole(&authorization);
        assert!(
            generation >= seen.load(SeqCst),
            "it went back to {generation}"
        );
        let token = tokens
            .token()
            .now_or_never()
            .expect("nobody waits")
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
fn readers_on_other_threads_see_whole_tokens_and_never_an_older_one() {
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
                .fetch_add(u64::try_from(DUE.as_millis()).unwrap(), SeqCst);
            runtime.block_on(async {
                assert_eq!(tokens.cached().unwrap().generation(), generation);
                settle().await;
            });
            assert_eq!(tokens.status().tokens_received, generation + 1);
            // now and then every thread waits for it
            let behind = |seen: &AtomicU64| seen.load(SeqCst) <= generation;
            while generation % 50 == 0 && seen.iter().any(behind) && !ended.load(SeqCst) {
                thread::yield_now();
            }
        }
        assert!(!ended.load(SeqCst), "a reader gave up");
    });
}
