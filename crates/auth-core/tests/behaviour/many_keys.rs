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

#[tokio::test]
async fn ten_thousand_new_keys_wait_in_turn_for_sixteen_token_requests() {
    const KEYS: usize = 10_000;
    let (server, clock) = (Server::answering(TOKEN), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    let callers: Vec<_> = (0..KEYS)
        .map(|number| {
            let tokens = tokens.clone();
            tokio::spawn(async move { ask(&tokens, number).await })
        })
        .collect();
    settle().await;
    assert_eq!(server.in_flight(), 16);
    // each request takes 4 s, so that the last key waits for 2,500 s, in turn
    while server.requests() < KEYS || server.in_flight() > 0 {
        clock.advance(secs(4));
        server.0.gate.add_permits(server.in_flight());
        settle().await;
    }
    for caller in callers {
        with_timeout(caller).await.unwrap().unwrap();
    }
    assert_eq!(server.requests(), KEYS);
    assert_eq!(server.0.max_in_flight.load(SeqCst), 16);
    let asked = server.0.audiences.lock().unwrap();
    let in_turn: Vec<_> = (0..KEYS).map(|number| format!("k{number}")).collect();
    assert!(*asked == in_turn, "first come, first served");
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
async fn a_denial_of_one_key_pauses_only_this_key() {
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
async fn after_the_pause_one_key_asks_and_its_success_ends_the_pause_of_all() {
    let (server, clock) = (Server::open(INVALID_CLIENT), ManualClock::new());
    let tokens = TokenCaches::from(server.default_cache(&clock));
    for number in 0..50 {
        ask(&tokens, number).await.unwrap_err();
    }
    assert_eq!(server.requests(), 1);
    clock.advance(secs(40));
    join_all((0..50).map(|number| ask(&tokens, number))).await;
    assert_eq!(
        server.requests(),
        2,
        "one key asks whether the pause is over"
    );
    let wait = ask(&tokens, 7).await.unwrap_err().retry_after().unwrap();
    assert!(wait > secs(40) && wait < secs(80), "doubled: {wait:?}");
    clock.advance(secs(80));
    server.answer(TOKEN);
    for outcome in join_all((0..50).map(|number| ask(&tokens, number))).await {
        outcome.unwrap();
    }
    assert_eq!(server.requests(), 52);
}

#[tokio::test]
async fn clearing_the_backoff_of_one_key_ends_the_pause_of_all() {
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

const _: Duration = Duration::ZERO;
