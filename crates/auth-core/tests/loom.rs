//! Every order in which the cache's threads can meet, walked through by loom:
//! `RUSTFLAGS="--cfg auth_loom" cargo test --release -p auth-core --test loom`.
//!
//! Here a task is a thread, and time stands still unless a test moves it. arc-swap and tokio's
//! channels are taken at their word; what is searched is the state machine made of them.

#![cfg(auth_loom)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    future::{Future, pending},
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Waker},
    time::Duration,
};

use auth_core::{
    Attempt, Authorizer, Clock, Decision, Error, ErrorKind, Now, Sleep, TokenCache, TokenRequest,
    TokenResponse, TokenSource, Verdict, async_trait, block_on,
};
use http::{HeaderMap, Request, Response, header::AUTHORIZATION};
use loom::{model::Builder, thread};

const LIFETIME: Duration = Duration::from_secs(86_400);
/// Due, and far from spent.
const DUE: u64 = 85_000;

/// All orders with at most four preemptions, or as many as `LOOM_MAX_PREEMPTIONS` says.
///
/// One test at a time: the cache numbers threads across all of them.
fn every_order(test: impl Fn() + Send + Sync + 'static) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(4));
    builder.check(test);
}

/// Seconds that a test moves. Nobody's sleep ends.
#[derive(Clone, Debug, Default)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Now {
        let time = Duration::from_secs(self.0.load(SeqCst));
        Now {
            monotonic: time,
            wall: time,
        }
    }

    fn sleep_until(&self, _deadline: Duration) -> Sleep {
        Box::pin(pending())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Token,
    Failure,
    Never,
}

/// Answers as it is told, the last answer for ever. The n-th request's token is `tn`.
#[derive(Debug)]
struct Source {
    answers: Vec<Answer>,
    requests: AtomicUsize,
    in_flight: AtomicUsize,
}

struct InFlight<'a>(&'a Source);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let request = self.requests.fetch_add(1, SeqCst) + 1;
        self.in_flight.fetch_add(1, SeqCst);
        let _in_flight = InFlight(self);
        // whoever can come in between may
        thread::yield_now();
        match self.answers.get(request - 1).or(self.answers.last()) {
            Some(Answer::Token) => {
                Ok(TokenResponse::bearer(format!("t{request}"))?.expires_in(LIFETIME))
            }
            Some(Answer::Failure) => Err(Error::new(ErrorKind::Unavailable, "scripted")),
            Some(Answer::Never) | None => pending().await,
        }
    }
}

/// A cache, its source and its clock.
struct Setting {
    tokens: TokenCache,
    source: Arc<Source>,
    clock: Hands,
}

impl Setting {
    /// Without a token yet.
    fn cold(answers: &[Answer]) -> Self {
        let clock = Hands::default();
        let source = Arc::new(Source {
            answers: answers.to_vec(),
            requests: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
        });
        let tokens = TokenCache::builder(Arc::clone(&source)).clock(clock.clone());
        Self {
            tokens: tokens.build(),
            source,
            clock,
        }
    }

    /// With a token that is due; the next request is answered by `then`.
    fn due(then: Answer) -> Self {
        let setting = Self::cold(&[Answer::Token, then]);
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        setting.clock.advance(DUE);
        setting
    }

    fn requests(&self) -> usize {
        self.source.requests.load(SeqCst)
    }

    /// Until the flight under way has landed.
    fn settle(&self) {
        while self.tokens.status().requesting {
            thread::yield_now();
        }
    }
}

fn secret(tokens: &TokenCache) -> Result<String, Error> {
    block_on(tokens.token()).map(|token| token.secret().to_owned())
}

/// Runs `work` on another thread with a handle of its own.
fn beside<T: 'static>(
    tokens: &TokenCache,
    work: impl FnOnce(&TokenCache) -> T + 'static,
) -> thread::JoinHandle<T> {
    let tokens = tokens.clone();
    thread::spawn(move || work(&tokens))
}

#[test]
fn two_cold_callers_share_one_request() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token, Answer::Failure]);
        let other = beside(&setting.tokens, secret);
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        assert_eq!(other.join().unwrap().unwrap(), "t1");
        assert_eq!(setting.requests(), 1);
    });
}

#[test]
fn two_cold_callers_share_one_failure() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Failure]);
        let other = beside(&setting.tokens, secret);
        let mine = secret(&setting.tokens).unwrap_err();
        let others = other.join().unwrap().unwrap_err();
        assert_eq!(
            [mine.kind(), others.kind()],
            [ErrorKind::Unavailable, ErrorKind::Unavailable]
        );
        assert_eq!(setting.requests(), 1);
    });
}

/// Polls for a token once, and then wants none any more.
fn give_up(tokens: &TokenCache) {
    let waiting = pin!(tokens.token());
    let _ = waiting.poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn a_caller_who_gives_up_neither_stops_nor_repeats_the_request() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token, Answer::Failure]);
        let other = beside(&setting.tokens, give_up);
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        other.join().unwrap();
        assert_eq!(setting.requests(), 1);
    });
}

#[test]
fn the_last_handle_ends_the_request_under_way() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Never]);
        let other = beside(&setting.tokens, give_up);
        give_up(&setting.tokens);
        let Setting { tokens, source, .. } = setting;
        drop(tokens);
        other.join().unwrap();
        // a request that nobody ends would block its thread, and loom would say so
        while source.in_flight.load(SeqCst) > 0 {
            thread::yield_now();
        }
    });
}

/// Reads twice; each token is whole, and none comes back once it was replaced.
fn read_twice(tokens: &TokenCache) {
    let [first, second] = [0, 1].map(|_| {
        let authorization = tokens.cached().expect("a usable token is there");
        let generation = authorization.generation();
        let header = authorization.header();
        assert_eq!(header, &format!("Bearer t{generation}"));
        generation
    });
    assert!(first <= second, "{first} and then {second}");
}

#[test]
fn reads_of_a_due_token_start_one_renewal_and_see_it_land() {
    every_order(|| {
        let setting = Setting::due(Answer::Token);
        let other = beside(&setting.tokens, read_twice);
        read_twice(&setting.tokens);
        other.join().unwrap();
        setting.settle();
        assert_eq!(setting.requests(), 2);
        assert_eq!(setting.tokens.cached().unwrap().generation(), 2);
    });
}

#[test]
fn a_renewal_that_fails_takes_nothing_away_and_is_made_once() {
    every_order(|| {
        let setting = Setting::due(Answer::Failure);
        let other = beside(&setting.tokens, read_twice);
        read_twice(&setting.tokens);
        other.join().unwrap();
        setting.settle();
        assert_eq!(setting.requests(), 2);
        assert_eq!(setting.tokens.cached().unwrap().generation(), 1);
    });
}

#[test]
fn a_reset_while_a_renewal_fails_leaves_nothing_stuck() {
    every_order(|| {
        let setting = Setting::due(Answer::Failure);
        let other = beside(&setting.tokens, TokenCache::reset);
        assert!(setting.tokens.cached().is_some());
        other.join().unwrap();
        setting.settle();
        setting.clock.advance(60);
        let before = setting.requests();
        assert!(setting.tokens.cached().is_some());
        setting.settle();
        assert_eq!(setting.requests(), before + 1);
    });
}

/// A first flight that nobody waits for any more is found too old, and a second one is started; the
/// first lands all the same: before, in between or after.
fn two_flights(answers: &[Answer]) -> Setting {
    let setting = Setting::cold(answers);
    give_up(&setting.tokens);
    thread::yield_now();
    // longer than any attempt may take
    setting.clock.advance(20);
    let outcome = secret(&setting.tokens);
    assert!(outcome.is_err() || ["t1", "t2"].contains(&outcome.unwrap().as_str()));
    setting.settle();
    setting
}

#[test]
fn a_flight_given_up_for_dead_does_not_replace_the_next_ones_token() {
    every_order(|| {
        let setting = two_flights(&[Answer::Token]);
        let current = setting.tokens.cached().unwrap();
        let last = format!("Bearer t{}", setting.requests());
        assert_eq!(current.header(), &last);
    });
}

#[test]
fn the_failure_of_a_flight_given_up_for_dead_is_forgotten() {
    every_order(|| {
        let setting = two_flights(&[Answer::Failure, Answer::Token]);
        let status = setting.tokens.status();
        assert_eq!(status.is_usable(), status.failures_in_a_row == 0);
    });
}

#[test]
fn two_threads_never_clone_the_same_copy() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token, Answer::Failure]);
        let landing = beside(&setting.tokens, secret);
        landing.join().unwrap().unwrap();
        let address = |tokens: &TokenCache| {
            let authorization = tokens.cached().unwrap();
            authorization.header().as_bytes().as_ptr().addr()
        };
        let others = [(); 2].map(|()| beside(&setting.tokens, address));
        let [one, another] = others.map(|other| other.join().unwrap());
        assert_ne!(one, another);
    });
}

/// What becomes of a request that was sent with `attempt` and refused: its second token.
fn refused(attempt: Attempt) -> String {
    let response = Response::builder().status(401).body(()).unwrap();
    let Verdict::Renew(renewal) = attempt.judge(&response, true) else {
        panic!("another token is to be had");
    };
    let attempt = block_on(renewal).attempt().expect("another token");
    let mut headers = HeaderMap::new();
    attempt.apply(&mut headers);
    headers[AUTHORIZATION].to_str().unwrap().to_owned()
}

#[test]
fn two_refusals_of_one_token_make_one_request_and_share_its_token() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token]);
        let authorizer = Authorizer::builder(setting.tokens.clone()).any_origin();
        let authorizer = authorizer.build().unwrap();
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        let [mine, others] = [(); 2].map(|()| {
            let request = Request::get("https://api.example/").body(()).unwrap();
            match authorizer.authorize(&request) {
                Decision::Authorize(attempt) => attempt,
                other => panic!("{other:?}"),
            }
        });
        let other = thread::spawn(move || refused(others));
        assert_eq!(refused(mine), "Bearer t2");
        assert_eq!(other.join().unwrap(), "Bearer t2");
        assert_eq!(setting.requests(), 2);
    });
}
