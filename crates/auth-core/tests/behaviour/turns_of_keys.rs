//! Which token request of a client is sent next: keys that users choose, keys whose callers have left,
//! and keys whose token requests hang delay no other key by more than is stated here.

use std::{
    future::pending,
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
use auth_test_support::{secs, settle};
use auth_testing::TokioClock;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::Full;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// A token endpoint that behaves according to the audience: `hang…` gets no response, `late…` a 504
/// after 5 s, and the others a token after the latency.
#[derive(Clone, Debug, Default)]
struct Endpoint(Arc<State>);

#[derive(Debug, Default)]
struct State {
    latency: Mutex<Duration>,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
    audiences: Mutex<Vec<String>>,
}

struct InFlight<'a>(&'a State);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

impl Endpoint {
    fn with_latency(milliseconds: u64) -> Self {
        let endpoint = Self::default();
        *endpoint.0.latency.lock().unwrap() = Duration::from_millis(milliseconds);
        endpoint
    }

    fn caches(&self, limit: usize) -> TokenCaches {
        let secret = ClientAuthentication::client_secret_basic("s3cr3t");
        let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
        let grant = grant.build(self.clone()).unwrap();
        let default = TokenCache::builder(grant).clock(TokioClock::new()).build();
        let builder = TokenCaches::builder(default).max_capacity(100_000);
        builder.max_concurrent_requests(limit).build().unwrap()
    }

    fn max_in_flight(&self) -> usize {
        self.0.max_in_flight.load(SeqCst)
    }

    /// The number of token requests for audiences that begin like this.
    fn requests(&self, prefix: &str) -> usize {
        let audiences = self.0.audiences.lock().unwrap();
        audiences
            .iter()
            .filter(|one| one.starts_with(prefix))
            .count()
    }
}

#[async_trait]
impl HttpTransport for Endpoint {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let state = &*self.0;
        let now = state.in_flight.fetch_add(1, SeqCst) + 1;
        state.max_in_flight.fetch_max(now, SeqCst);
        let _in_flight = InFlight(state);
        let body = String::from_utf8(request.into_body().to_vec()).unwrap();
        let audience = body.split("audience=").nth(1).unwrap_or("default");
        state.audiences.lock().unwrap().push(audience.to_owned());
        let (status, body) = match audience {
            hangs if hangs.starts_with("hang") => pending().await,
            late if late.starts_with("late") => {
                sleep(secs(5)).await;
                (504, "")
            }
            _ => {
                let latency = *state.latency.lock().unwrap();
                sleep(latency).await;
                (
                    200,
                    r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
                )
            }
        };
        let body = TransportBody::new(Full::new(Bytes::from_static(body.as_bytes())));
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

fn key(prefix: &str, number: usize) -> TokenRequest {
    let audience = format!("{prefix}{number}");
    TokenRequest::builder().audience(audience).build().unwrap()
}

/// Requests a token. Returns how long that took.
fn ask(tokens: &TokenCaches, request: &TokenRequest) -> JoinHandle<Result<Duration, Error>> {
    let cache = tokens.cache(request);
    tokio::spawn(async move {
        let started = Instant::now();
        cache.token().await.map(|_| started.elapsed())
    })
}

fn ask_default(tokens: &TokenCaches) -> JoinHandle<Result<Duration, Error>> {
    let request = TokenRequest::default();
    ask(tokens, &request)
}

/// Requests the tokens of keys whose callers leave after `patience`.
fn ask_and_leave(tokens: &TokenCaches, prefix: &str, keys: usize, patience: Duration) {
    for number in 0..keys {
        let cache = tokens.cache(&key(prefix, number));
        tokio::spawn(async move {
            let _ = timeout(patience, cache.token()).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn five_thousand_new_keys_delay_neither_the_default_token_nor_a_refresh() {
    let endpoint = Endpoint::with_latency(1000);
    let tokens = endpoint.caches(16);
    // these have a token, which expires
    for number in 0..40 {
        ask(&tokens, &key("old", number)).await.unwrap().unwrap();
    }
    sleep(secs(600)).await;
    let new: Vec<_> = (0..5000)
        .map(|number| ask(&tokens, &key("new", number)))
        .collect();
    settle().await;
    let default = ask_default(&tokens);
    let refreshes: Vec<_> = (0..40)
        .map(|number| ask(&tokens, &key("old", number)))
        .collect();
    let default = default.await.unwrap().unwrap();
    assert!(default <= secs(2), "the default token took {default:?}");
    for refresh in refreshes {
        let took = refresh.await.unwrap().unwrap();
        assert!(took <= secs(6), "a refresh took {took:?}");
    }
    // the new keys use all other turns
    sleep(secs(60)).await;
    let sent = endpoint.requests("new");
    assert!(sent >= 60 * 16, "{sent} new keys");
    assert_eq!(endpoint.max_in_flight(), 16);
    new.iter().for_each(JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn fetches_whose_callers_left_delay_no_token() {
    let endpoint = Endpoint::with_latency(1000);
    let tokens = endpoint.caches(16);
    ask_and_leave(&tokens, "left", 5000, Duration::from_millis(500));
    sleep(secs(2)).await;
    let (default, new) = (ask_default(&tokens), ask(&tokens, &key("new", 0)));
    for asked in [default, new] {
        let took = asked.await.unwrap().unwrap();
        assert!(took <= secs(3), "{took:?}");
    }
    sleep(secs(60)).await;
    let sent = endpoint.requests("left");
    assert!((16..=64).contains(&sent), "{sent} of 5,000 were sent");
    let waiting = (0..5000).filter(|number| tokens.cache(&key("left", *number)).status().in_flight);
    assert_eq!(waiting.count(), 0);
    // a later caller requests it again
    ask(&tokens, &key("left", 4999)).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_token_request_in_flight_whose_caller_left_keeps_its_result() {
    let endpoint = Endpoint::with_latency(1000);
    let tokens = endpoint.caches(16);
    ask_and_leave(&tokens, "left", 1, Duration::from_millis(500));
    sleep(secs(2)).await;
    assert!(tokens.cached(&key("left", 0)).is_some());
}

/// A read of a stale token waits for nothing, and its refresh stays in the queue.
#[tokio::test(start_paused = true)]
async fn a_refresh_of_a_usable_token_needs_no_waiting_caller() {
    let endpoint = Endpoint::with_latency(1000);
    let tokens = endpoint.caches(1);
    let old = key("old", 0);
    ask(&tokens, &old).await.unwrap().unwrap();
    sleep(secs(500)).await;
    let new: Vec<_> = (0..5)
        .map(|number| ask(&tokens, &key("new", number)))
        .collect();
    settle().await;
    assert!(tokens.cached(&old).is_some());
    assert!(tokens.cache(&old).status().stale);
    for one in new {
        one.await.unwrap().unwrap();
    }
    sleep(secs(2)).await;
    assert!(!tokens.cache(&old).status().stale, "it was refreshed");
    assert_eq!(endpoint.requests("old"), 2);
}

/// The next caller of a withdrawn fetch may come at any time: at the same instant, or later.
#[tokio::test(start_paused = true)]
async fn callers_that_take_the_place_of_others_get_a_token() {
    let endpoint = Endpoint::with_latency(200);
    let tokens = endpoint.caches(2);
    let mut callers = Vec::new();
    for round in 0_u64..30 {
        ask_and_leave(&tokens, "shared", 40, Duration::from_millis(137));
        sleep(Duration::from_millis(100 + round * 7)).await;
        callers.push(ask(&tokens, &key("shared", 39)));
    }
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(endpoint.requests("shared39"), 1);
}

/// More refreshes than the token endpoint can answer: each of 64 tokens is requested all the time.
#[tokio::test(start_paused = true)]
async fn a_new_key_gets_its_turn_beside_refreshes_that_never_end() {
    let endpoint = Endpoint::with_latency(1000);
    let tokens = endpoint.caches(4);
    for number in 0..64 {
        ask(&tokens, &key("old", number)).await.unwrap().unwrap();
    }
    let refreshing: Vec<_> = (0..64)
        .map(|number| {
            let cache = tokens.cache(&key("old", number));
            tokio::spawn(async move {
                loop {
                    let token = cache.token().await.unwrap();
                    if let auth_core::Replacement::Pending(next) = cache.reject(&token) {
                        let _ = next.token().await;
                    }
                    // its token is used up, and so is the rejection budget
                    sleep(secs(30)).await;
                }
            })
        })
        .collect();
    sleep(secs(5)).await;
    let new = (0..16).map(|number| ask(&tokens, &key("new", number)));
    for one in join_all(new).await {
        let took = one.unwrap().unwrap();
        assert!(took <= secs(18), "every fourth turn: {took:?}");
    }
    refreshing.iter().for_each(JoinHandle::abort);
}

/// Keys that were never tried, and that cannot be told from others.
#[tokio::test(start_paused = true)]
async fn sixty_four_keys_whose_token_requests_hang_fail_no_other_key() {
    for bad in ["hang", "late"] {
        let endpoint = Endpoint::with_latency(50);
        let tokens = endpoint.caches(16);
        for number in 0..20 {
            ask(&tokens, &key("old", number)).await.unwrap().unwrap();
        }
        sleep(secs(600)).await;
        let hanging: Vec<_> = (0..64)
            .map(|number| {
                let cache = tokens.cache(&key(bad, number));
                tokio::spawn(async move {
                    loop {
                        cache.token().await.unwrap_err();
                        sleep(Duration::from_millis(500)).await;
                    }
                })
            })
            .collect();
        settle().await;
        let (mut early, mut late) = (Vec::new(), Vec::new());
        let default = ask_default(&tokens);
        let old: Vec<_> = (0..20)
            .map(|number| ask(&tokens, &key("old", number)))
            .collect();
        for second in 0..180 {
            let asked = ask(&tokens, &key("new", second));
            match second {
                0..=10 => early.push(asked),
                _ => late.push(asked),
            }
            sleep(secs(1)).await;
        }
        for asked in [default].into_iter().chain(old).chain(early) {
            let took = asked.await.unwrap().unwrap();
            assert!(took <= secs(11), "{bad}: {took:?}");
        }
        // the first of the 64 keys have failed, and the others were asked for together with them
        for asked in late {
            let took = asked.await.unwrap().unwrap();
            assert!(took <= secs(1), "{bad}: {took:?}");
        }
        assert_eq!(endpoint.max_in_flight(), 16);
        assert!(endpoint.requests(bad) >= 64, "each of them was tried");
        hanging.iter().for_each(JoinHandle::abort);
    }
}

/// Half of the keys hang, and no one can tell which.
#[tokio::test(start_paused = true)]
async fn keys_that_hang_among_others_fail_none_of_them() {
    let endpoint = Endpoint::with_latency(50);
    let tokens = endpoint.caches(16);
    let good: Vec<_> = (0..64)
        .map(|number| {
            drop(ask(&tokens, &key("hang", number)));
            ask(&tokens, &key("new", number))
        })
        .collect();
    let mut waited = Vec::new();
    for asked in good {
        waited.push(asked.await.unwrap().unwrap());
    }
    let longest = waited.into_iter().max().unwrap();
    assert!(longest <= secs(100), "{longest:?}");
}

/// The token endpoint hangs for five minutes, and then answers all.
#[tokio::test(start_paused = true)]
async fn after_an_outage_every_key_gets_its_token() {
    let endpoint = Endpoint::with_latency(50);
    let tokens = endpoint.caches(16);
    for number in 0..500 {
        ask(&tokens, &key("old", number)).await.unwrap().unwrap();
    }
    sleep(secs(600)).await;
    *endpoint.0.latency.lock().unwrap() = secs(100);
    for _ in 0..300 {
        (0..500).for_each(|number| drop(ask(&tokens, &key("old", number))));
        sleep(secs(1)).await;
    }
    assert!(endpoint.requests("old") > 500 + 160);
    *endpoint.0.latency.lock().unwrap() = Duration::from_millis(50);
    // those in flight time out, and the last backoffs end
    for _ in 0..25 {
        (0..500).for_each(|number| drop(ask(&tokens, &key("old", number))));
        sleep(secs(1)).await;
    }
    let missing = (0..500).filter(|number| tokens.cached(&key("old", *number)).is_none());
    assert_eq!(missing.count(), 0);
}

/// Ten keys a second whose token requests hang, and none twice.
#[tokio::test(start_paused = true)]
async fn new_keys_that_hang_without_end_keep_no_token_from_its_refresh() {
    let endpoint = Endpoint::with_latency(50);
    let tokens = endpoint.caches(16);
    for number in 0..20 {
        ask(&tokens, &key("old", number)).await.unwrap().unwrap();
    }
    ask_default(&tokens).await.unwrap().unwrap();
    let (mut failed, mut longest) = (0, Duration::ZERO);
    for tick in 0..12_000 {
        drop(ask(&tokens, &key("hang", tick)));
        if tick % 10 == 0 {
            let old = (0..20).map(|number| ask(&tokens, &key("old", number)));
            let all: Vec<_> = old.chain([ask_default(&tokens)]).collect();
            sleep(Duration::from_millis(100)).await;
            for one in all {
                match one.await.unwrap() {
                    Ok(took) => longest = longest.max(took),
                    Err(_) => failed += 1,
                }
            }
        } else {
            sleep(Duration::from_millis(100)).await;
        }
    }
    assert_eq!(failed, 0);
    assert!(longest <= Duration::from_millis(100), "{longest:?}");
}

/// The tokens of some APIs can no longer be refreshed.
#[tokio::test(start_paused = true)]
async fn refreshes_that_hang_keep_no_other_token_from_its_refresh() {
    // the same audiences hang later
    #[derive(Clone, Debug)]
    struct HangsLater(Endpoint, Arc<AtomicUsize>);

    #[async_trait]
    impl HttpTransport for HangsLater {
        async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
            let body = String::from_utf8_lossy(request.body()).into_owned();
            if body.contains("audience=sick") && self.1.load(SeqCst) == 1 {
                pending::<()>().await;
            }
            self.0.send(request).await
        }
    }

    let endpoint = HangsLater(Endpoint::with_latency(50), Arc::default());
    let secret = ClientAuthentication::client_secret_basic("s3cr3t");
    let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
    let grant = grant.build(endpoint.clone()).unwrap();
    let default = TokenCache::builder(grant).clock(TokioClock::new()).build();
    let tokens = TokenCaches::from(default);
    for number in 0..64 {
        ask(&tokens, &key("sick", number)).await.unwrap().unwrap();
    }
    for number in 0..20 {
        ask(&tokens, &key("old", number)).await.unwrap().unwrap();
    }
    endpoint.1.store(1, SeqCst);
    let mut failed = 0;
    // 30 min
    for _ in 0..1800 {
        (0..64).for_each(|number| drop(ask(&tokens, &key("sick", number))));
        for number in 0..20 {
            failed += usize::from(ask(&tokens, &key("old", number)).await.unwrap().is_err());
        }
        sleep(secs(1)).await;
    }
    assert_eq!(failed, 0);
}
