//! 10,000 tasks wait for a token: the time from its arrival until the last task has it.
//!
//! The floor is a bare `watch` that sends a token to as many tasks. Both have a runtime of their own
//! with two workers, and in both the token comes from a task that was held back until all tasks waited.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{
    AccessToken, Error, TokenCache, TokenRequest, TokenResponse, TokenSource,
    time::{Clock, Now, Sleep, SystemClock},
};
use bench_support::interleaved::{Interleaved, Iterations, print_table};
use bench_support::waiters::{WORKERS, Waiters, last_of};
use bench_support::{ready_cache, ready_now};
use criterion::{Criterion, criterion_group, criterion_main};
use tokio::sync::watch;

const WAITERS: usize = 10_000;
const ROUNDS: usize = 120;

/// The value that is broadcast, of the type that the cache hands out.
type Sent = watch::Receiver<Option<AccessToken>>;

/// A bare broadcast. Each waiter is a future that `wait` makes.
fn broadcast<W>(token: &AccessToken, wait: impl Fn(Sent) -> W) -> Duration
where
    W: Future<Output = AccessToken> + Send + 'static,
{
    let token = token.clone();
    last_of(WAITERS, |waiters| {
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            waiters.hold().await;
            sender.send_replace(Some(token));
        });
        move || wait(receiver.clone())
    })
}

async fn received(mut sent: Sent) -> AccessToken {
    let token = sent.wait_for(Option::is_some).await.unwrap();
    token.clone().unwrap()
}

/// The same with a timer for each task, as each waiter of the cache has one.
async fn received_in_time(sent: Sent) -> AccessToken {
    let deadline = SystemClock.now().monotonic + Duration::from_secs(10);
    let mut late = SystemClock.sleep_until(deadline);
    tokio::select! {
        biased;
        token = received(sent) => token,
        () = &mut late => panic!("expected a token in time"),
    }
}

/// Issues a token once all tasks wait.
#[derive(Debug)]
struct Held {
    waiters: Arc<Waiters>,
    requests: Arc<AtomicUsize>,
}

#[async_trait]
impl TokenSource for Held {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.requests.fetch_add(1, SeqCst);
        let response = bench_support::Instantly.fetch(request).await;
        self.waiters.hold().await;
        response
    }
}

/// A clock whose sleeps never end.
#[derive(Debug)]
struct NoTimers;

impl Clock for NoTimers {
    fn now(&self) -> Now {
        SystemClock.now()
    }

    fn sleep_until(&self, _deadline: Duration) -> Sleep {
        Box::pin(pending())
    }
}

fn auth_core(clock: impl Clock) -> Duration {
    let requests = Arc::new(AtomicUsize::new(0));
    let took = last_of(WAITERS, |waiters| {
        let requests = Arc::clone(&requests);
        let source = Held { waiters, requests };
        let tokens = TokenCache::builder(source).clock(clock).build();
        move || {
            let tokens = tokens.clone();
            async move { tokens.token().await.unwrap() }
        }
    });
    assert_eq!(requests.load(SeqCst), 1);
    took
}

fn herd(c: &mut Criterion) {
    let token = ready_now(ready_cache().token()).unwrap();
    let mut rounds = Interleaved::new("herd", ROUNDS);
    let once = Iterations::of(1).on(WORKERS);
    rounds.function("watch_broadcast/10000", once, |_| {
        broadcast(&token, received)
    });
    rounds.function("watch_and_timer/10000", once, |_| {
        broadcast(&token, received_in_time)
    });
    rounds.function("auth_core/10000", once, |_| auth_core(SystemClock));
    rounds.function("auth_core_without_timers/10000", once, |_| {
        auth_core(NoTimers)
    });
    for name in ["auth_core", "auth_core_without_timers", "watch_and_timer"] {
        rounds.figure(format!("{name} over watch_broadcast"), move |round| {
            round.time(&format!("{name}/10000")) / round.time("watch_broadcast/10000")
        });
    }
    let mut group = c.benchmark_group("herd");
    rounds.run(&mut group);
    group.finish();
    print_table("herd");
}

criterion_group!(benches, herd);
criterion_main!(benches);
