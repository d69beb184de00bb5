//! What users choose is bounded for all keys of one source together: token requests at once, and
//! denials of the client.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    ClientAuthentication, ClientCredentials, Error, HttpTransport, TokenCache, TokenCaches,
    TokenRequest, TransportBody, async_trait,
};
use auth_test_support::{secs, settle, with_timeout};
use auth_testing::ManualClock;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::Semaphore;

/// An authorization server that holds each token request until it is let through.
#[derive(Clone, Debug)]
struct Server(Arc<State>);

#[derive(Debug)]
struct State {
    answer: Mutex<(u16, &'static str)>,
    gate: Semaphore,
    requests: AtomicUsize,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    audiences: Mutex<Vec<String>>,
}

const TOKEN: (u16, &str) = (
    200,
    r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
);
const INVALID_CLIENT: (u16, &str) = (401, r#"{"error":"invalid_client"}"#);

impl Server {
    fn answering(answer: (u16, &'static str)) -> Self {
        Self(Arc::new(State {
            answer: Mutex::new(answer),
            gate: Semaphore::new(0),
            requests: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
            audiences: Mutex::default(),
        }))
    }

    fn open(answer: (u16, &'static str)) -> Self {
        let server = Self::answering(answer);
        server.0.gate.add_permits(1 << 20);
        server
    }

    fn answer(&self, answer: (u16, &'static str)) {
        *self.0.answer.lock().unwrap() = answer;
    }

    fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    fn in_flight(&self) -> usize {
        self.0.in_flight.load(SeqCst)
    }

    fn default_cache(&self, clock: &ManualClock) -> TokenCache {
        let secret = ClientAuthentication::client_secret_basic("s3cr3t");
        let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
        let grant = grant.build(self.clone()).unwrap();
        TokenCache::builder(grant).clock(clock.clone()).build()
    }
}

struct InFlight<'a>(&'a State);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let state = &*self.0;
        state.requests.fetch_add(1, SeqCst);
        let now = state.in_flight.fetch_add(1, SeqCst) + 1;
        state.max_in_flight.fetch_max(now, SeqCst);
        let _in_flight = InFlight(state);
        let body = String::from_utf8(request.into_body().to_vec()).unwrap();
        let audience = body.split("audience=").nth(1).unwrap_or("").to_owned();
        state.audiences.lock().unwrap().push(audience);
        state.gate.acquire().await.unwrap().forget();
        let (status, body) = *state.answer.lock().unwrap();
        let body = TransportBody::new(Full::new(Bytes::from_static(body.as_bytes())));
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

fn key(number: usize) -> TokenRequest {
    let audience = format!("k{number}");
    TokenRequest::builder().audience(audience).build().unwrap()
}

async fn ask(tokens: &TokenCaches, number: usize) -> Result<(), Error> {
    tokens.cache(&key(number)).token().await.map(|_| ())
}

/// Yields until `count` token requests are in flight.
async fn until_in_flight(server: &Server, count: usize) {
    for _ in 0..100_000 {
        if server.in_flight() == count {
            return settle().await;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(server.in_flight(), count);
}

/// Requests the tokens of `keys` keys at once. Each token request takes `latency`.
async fn herd(keys: usize, latency: Duration) {
    let (server, clock) = (Server::answering(TOKEN), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    let callers: Vec<_> = (0..keys)
        .map(|number| {
            let tokens = tokens.clone();
            tokio::spawn(async move { ask(&tokens, number).await })
        })
        .collect();
    let mut answered = 0;
    while answered < keys {
        let in_flight = (keys - answered).min(16);
        until_in_flight(&server, in_flight).await;
        clock.advance(latency);
        server.0.gate.add_permits(in_flight);
        answered += in_flight;
        until_in_flight(&server, (keys - answered).min(16)).await;
    }
    for caller in callers {
        with_timeout(caller).await.unwrap().unwrap();
    }
    assert_eq!(server.requests(), keys);
    assert_eq!(server.0.max_in_flight.load(SeqCst), 16);
    let asked = server.0.audiences.lock().unwrap();
    let in_turn: Vec<_> = (0..keys).map(|number| format!("k{number}")).collect();
    assert!(*asked == in_turn, "first come, first served");
}

#[tokio::test]
async fn ten_thousand_new_keys_wait_in_turn_for_sixteen_token_requests() {
    // 31 s for all of them
    herd(10_000, Duration::from_millis(50)).await;
}

#[tokio::test]
async fn the_time_in_the_queue_is_not_the_time_of_an_attempt() {
    // 450 s, with an attempt timeout of 10 s
    herd(800, secs(9)).await;
}

#[tokio::test]
async fn two_hundred_keys_of_a_denied_client_cause_no_more_denials_than_are_in_flight() {
    for denial in [
        INVALID_CLIENT,
        (400, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"unauthorized_client"}"#),
        (401, ""),
        (401, "<html>no</html>"),
    ] {
        let (server, clock) = (Server::open(denial), ManualClock::new());
        let tokens = TokenCaches::from(server.default_cache(&clock));
        // at once, and one after another
        join_all((0..100).map(|number| ask(&tokens, number))).await;
        for number in 100..200 {
            let error = ask(&tokens, number).await.unwrap_err();
            assert_eq!(error.status().unwrap().as_u16(), denial.0);
            assert!(error.retry_after() > Some(secs(20)), "{error:?}");
        }
        assert!(
            server.requests() <= 16,
            "{} for {denial:?}",
            server.requests()
        );
    }
}

#[tokio::test]
async fn after_a_denial_of_one_key_only_this_key_backs_off() {
    for denial in [
        r#"{"error":"invalid_scope"}"#,
        r#"{"error":"invalid_target"}"#,
        r#"{"error":"invalid_request"}"#,
    ] {
        let (server, clock) = (Server::open((400, denial)), ManualClock::new());
        let tokens = TokenCaches::from(server.default_cache(&clock));
        for number in 0..40 {
            ask(&tokens, number).await.unwrap_err();
        }
        assert_eq!(server.requests(), 40);
        ask(&tokens, 0).await.unwrap_err();
        assert_eq!(server.requests(), 40);
        server.answer(TOKEN);
        ask(&tokens, 40).await.unwrap();
    }
}

#[tokio::test]
async fn after_the_backoff_one_key_asks_and_its_success_ends_it_for_all() {
    let (server, clock) = (Server::open(INVALID_CLIENT), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    for number in 0..50 {
        ask(&tokens, number).await.unwrap_err();
    }
    assert_eq!(server.requests(), 3, "three keys are tried");
    clock.advance(secs(40));
    join_all((0..50).map(|number| ask(&tokens, number))).await;
    assert_eq!(
        server.requests(),
        4,
        "one key asks whether the backoff is over"
    );
    let wait = ask(&tokens, 7).await.unwrap_err().retry_after().unwrap();
    assert!(wait > secs(40) && wait < secs(80), "doubled: {wait:?}");
    clock.advance(secs(90));
    server.answer(TOKEN);
    for outcome in join_all((0..50).map(|number| ask(&tokens, number))).await {
        outcome.unwrap();
    }
    assert_eq!(server.requests(), 54);
}

#[tokio::test]
async fn clearing_the_backoff_of_one_key_ends_it_for_all() {
    let (server, clock) = (Server::open(INVALID_CLIENT), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    for number in 0..20 {
        ask(&tokens, number).await.unwrap_err();
    }
    server.answer(TOKEN);
    tokens.default_cache().clear_backoff();
    for number in 0..20 {
        ask(&tokens, number).await.unwrap();
    }
}

/// A caller that leaves, or a whole runtime, takes no turn with it.
#[test]
fn turns_come_back_from_a_dropped_runtime() {
    let (server, clock) = (Server::answering(TOKEN), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    };
    let first = runtime();
    first.block_on(async {
        for number in 0..100 {
            let tokens = tokens.clone();
            tokio::spawn(async move { ask(&tokens, number).await });
        }
        settle().await;
    });
    assert_eq!(server.in_flight(), 16);
    drop(first);
    server.0.gate.add_permits(1000);
    let second = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    second.block_on(async {
        for number in 50..150 {
            with_timeout(ask(&tokens, number)).await.unwrap();
        }
    });
}

/// The turns of a runtime that nothing drives end with their attempts, and so do the places of its
/// fetches in the queue.
#[tokio::test]
async fn turns_come_back_from_a_runtime_that_is_not_driven() {
    let (server, clock) = (Server::answering(TOKEN), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    let undriven = std::thread::spawn({
        let tokens = tokens.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            runtime.block_on(async {
                for number in 0..2000 {
                    let tokens = tokens.clone();
                    tokio::spawn(async move { ask(&tokens, number).await });
                }
                for _ in 0..4000 {
                    tokio::task::yield_now().await;
                }
            });
            runtime
        }
    });
    let undriven = undriven.join().unwrap();
    assert_eq!(server.in_flight(), 16);
    server.0.gate.add_permits(1 << 20);
    // other keys, and keys whose fetches are stuck
    let callers: Vec<_> = (1900..2100)
        .map(|number| {
            let tokens = tokens.clone();
            tokio::spawn(async move { ask(&tokens, number).await })
        })
        .collect();
    let mut waited = Duration::ZERO;
    while !callers.iter().all(tokio::task::JoinHandle::is_finished) {
        settle().await;
        clock.advance(Duration::from_millis(100));
        waited += Duration::from_millis(100);
        assert!(waited < secs(60), "it hangs");
    }
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert!(waited < secs(15), "{waited:?}");
    undriven.shutdown_background();
}

/// If the token endpoint hangs, callers receive the error about as early as without a queue.
#[tokio::test]
async fn a_queue_that_does_not_move_fails_like_an_attempt() {
    let (server, clock) = (Server::answering(TOKEN), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    let callers: Vec<_> = (0..1000)
        .map(|number| {
            let tokens = tokens.clone();
            tokio::spawn(async move { ask(&tokens, number).await })
        })
        .collect();
    let mut waited = Duration::ZERO;
    while !callers.iter().all(tokio::task::JoinHandle::is_finished) {
        for _ in 0..4 {
            settle().await;
        }
        clock.advance(Duration::from_millis(500));
        waited += Duration::from_millis(500);
        assert!(waited < secs(25), "it hangs");
    }
    for caller in callers {
        let error = caller.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), auth_core::ErrorKind::Timeout, "{error}");
    }
    assert_eq!(server.0.max_in_flight.load(SeqCst), 16);
}

#[tokio::test]
async fn the_limit_can_be_set_and_holds_for_the_default_cache_too() {
    let (server, clock) = (Server::answering(TOKEN), ManualClock::new());
    let builder = TokenCaches::builder(server.default_cache(&clock)).max_concurrent_requests(3);
    let tokens = builder.build().unwrap();
    let default = tokens.default_cache().clone();
    let mut callers = vec![tokio::spawn(
        async move { default.token().await.map(|_| ()) },
    )];
    callers.extend((0..10).map(|number| {
        let tokens = tokens.clone();
        tokio::spawn(async move { ask(&tokens, number).await })
    }));
    settle().await;
    assert_eq!(server.in_flight(), 3);
    assert!(tokens.default_cache().status().in_flight);
    server.0.gate.add_permits(100);
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(server.0.max_in_flight.load(SeqCst), 3);
    let none = TokenCaches::builder(server.default_cache(&clock)).max_concurrent_requests(0);
    let error = none.build().unwrap_err().to_string();
    assert!(error.contains("at least 1, got 0"), "{error}");
}

/// A cache that is evicted while its fetch waits leaves the queue.
#[tokio::test]
async fn an_abandoned_fetch_takes_no_turn() {
    let (server, clock) = (Server::answering(TOKEN), ManualClock::new());
    let builder = TokenCaches::builder(server.default_cache(&clock));
    let tokens = builder
        .max_concurrent_requests(1)
        .max_capacity(2)
        .build()
        .unwrap();
    let first = tokio::spawn({
        let tokens = tokens.clone();
        async move { ask(&tokens, 0).await }
    });
    settle().await;
    for number in 1..50 {
        let mut dropped = tokio_test::task::spawn(ask(&tokens, number));
        tokio_test::assert_pending!(dropped.poll());
        drop(dropped);
        settle().await;
    }
    server.0.gate.add_permits(100);
    first.await.unwrap().unwrap();
    with_timeout(ask(&tokens, 100)).await.unwrap();
    assert!(server.requests() <= 5, "{}", server.requests());
}

#[tokio::test]
async fn a_stale_token_stays_in_use_while_the_client_is_denied() {
    let (server, clock) = (Server::open(TOKEN), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    for number in 0..30 {
        ask(&tokens, number).await.unwrap();
    }
    clock.advance(secs(500));
    server.answer(INVALID_CLIENT);
    for _ in 0..20 {
        for number in 0..30 {
            assert!(tokens.cached(&key(number)).is_some());
        }
        settle().await;
        clock.advance(Duration::from_millis(500));
    }
    assert!(server.requests() <= 30 + 16, "{}", server.requests());
    server.answer(TOKEN);
    tokens.cache(&key(3)).clear_backoff();
    clock.advance(secs(1));
    for _ in 0..4 {
        for number in 0..30 {
            assert!(tokens.cached(&key(number)).is_some());
        }
        settle().await;
        clock.advance(Duration::from_millis(500));
    }
    let fresh = (0..30).filter(|number| !tokens.cache(&key(*number)).status().stale);
    assert_eq!(fresh.count(), 30);
}

#[tokio::test]
async fn the_status_of_a_cache_shows_the_denial_of_its_client() {
    let (server, clock) = (Server::open(INVALID_CLIENT), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    for number in 0..3 {
        ask(&tokens, number).await.unwrap_err();
    }
    let status = tokens.cache(&key(3)).status();
    assert_eq!(status.token_requests, 0);
    assert!(status.consecutive_failures > 0 && !status.has_usable_token());
    let error = status.last_error.unwrap();
    assert_eq!(error.error_code(), Some("invalid_client"));
    assert!(error.retry_after() > Some(secs(20)));
    server.answer(TOKEN);
    tokens.default_cache().clear_backoff();
    ask(&tokens, 1).await.unwrap();
    let status = tokens.cache(&key(0)).status();
    assert_eq!(
        status.last_error.unwrap().retry_after(),
        Some(Duration::ZERO)
    );
}

/// Tokens that are kept warm without reads are refreshed after the backoff as well.
#[tokio::test]
async fn tokens_kept_warm_wait_for_the_end_of_the_backoff() {
    let (server, clock) = (Server::open(TOKEN), ManualClock::new());
    let secret = ClientAuthentication::client_secret_basic("s3cr3t");
    let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
    let grant = grant.build(server.clone()).unwrap();
    let default = TokenCache::builder(grant).clock(clock.clone()).keep_warm();
    let tokens = TokenCaches::from(default.build());
    for number in 0..40 {
        ask(&tokens, number).await.unwrap();
    }
    server.answer(INVALID_CLIENT);
    for _ in 0..480 {
        settle().await;
        clock.advance(secs(1));
    }
    let denials = server.requests() - 40;
    assert!((1..=20).contains(&denials), "{denials} denials");
    server.answer(TOKEN);
    for _ in 0..400 {
        settle().await;
        clock.advance(secs(1));
    }
    let usable = (0..40).filter(|number| tokens.cached(&key(*number)).is_some());
    assert_eq!(usable.count(), 40);
}

/// Four threads, with real time: no turn is lost, and there are never more than the limit.
#[test]
fn threads_share_the_turns() {
    use auth_test_support::scripted::Scripted;

    const KEYS: usize = 2000;
    let source = Scripted::expires_in(600);
    let tokens = TokenCaches::builder(TokenCache::new(source.clone()));
    let tokens = tokens.max_concurrent_requests(3).build().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(with_timeout(async {
        let callers: Vec<_> = (0..KEYS)
            .map(|number| {
                let tokens = tokens.clone();
                tokio::spawn(async move {
                    let caller = ask(&tokens, number);
                    if number % 10 == 0 {
                        // this caller leaves, and others stay
                        let _ = tokio_test::task::spawn(caller).poll();
                        return Ok(());
                    }
                    caller.await
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
    }));
    assert!(source.max_in_flight() <= 3, "{}", source.max_in_flight());
}

#[tokio::test]
async fn denials_that_were_in_flight_together_count_as_one() {
    let (server, clock) = (Server::answering(INVALID_CLIENT), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    let callers: Vec<_> = (0..200)
        .map(|number| {
            let tokens = tokens.clone();
            tokio::spawn(async move { ask(&tokens, number).await })
        })
        .collect();
    until_in_flight(&server, 16).await;
    server.0.gate.add_permits(1000);
    for caller in callers {
        let wait = caller.await.unwrap().unwrap_err().retry_after().unwrap();
        assert!(
            wait <= secs(41),
            "the first backoff, and not the sixteenth: {wait:?}"
        );
    }
    assert_eq!(server.requests(), 16);
}
