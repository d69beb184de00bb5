//! What one key, one process or one runtime does at the expense of the others: a key that is always
//! denied, a source whose credentials always have changed, fetches that do not run, leases in the
//! queue, and effective requests that are no fixed points.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    ClientAuthentication, ClientCredentials, Error, ErrorKind, HttpTransport, TokenCache,
    TokenCaches, TokenRequest, TokenResponse, TokenSource, TransportBody, async_trait,
    shared_store::SharedKey,
};
use auth_test_support::{
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::{MemoryStore, TokioClock};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

fn key(number: usize) -> TokenRequest {
    let audience = format!("k{number}.");
    TokenRequest::builder().audience(audience).build().unwrap()
}

fn ask(tokens: &TokenCaches, number: usize) -> JoinHandle<Result<(), Error>> {
    let tokens = tokens.clone();
    tokio::spawn(async move { tokens.cache(&key(number)).token().await.map(|_| ()) })
}

fn caches(source: impl TokenSource, limit: usize) -> TokenCaches {
    let default = TokenCache::builder(source).clock(TokioClock::new());
    let builder = TokenCaches::builder(default.build());
    builder.max_concurrent_requests(limit).build().unwrap()
}

/// Denies the client the token of key 666.
#[derive(Clone, Debug, Default)]
struct Server(Arc<AtomicUsize>);

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        sleep(Duration::from_millis(20)).await;
        let is_denied = String::from_utf8_lossy(request.body()).contains("k666.");
        self.0.fetch_add(usize::from(is_denied), SeqCst);
        let (status, body) = match is_denied {
            true => (400, r#"{"error":"unauthorized_client"}"#),
            false => (
                200,
                r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
            ),
        };
        let body = TransportBody::new(Full::new(Bytes::from_static(body.as_bytes())));
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

/// The tokens that the client was issued contradict the denial.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_always_denied_keeps_no_other_key_from_its_token() {
    let server = Server::default();
    let secret = ClientAuthentication::client_secret_basic("s3cr3t");
    let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
    let tokens = caches(grant.build(server.clone()).unwrap(), 16);
    let (mut failed, mut new_ones_failed) = (0, 0);
    // an hour
    for tick in 0..36_000 {
        if tick % 10 == 0 {
            for number in 0..5 {
                failed += usize::from(ask(&tokens, number).await.unwrap().is_err());
            }
        }
        if tick % 100 == 50 {
            let outcome = ask(&tokens, 1000 + tick).await.unwrap();
            new_ones_failed += usize::from(outcome.is_err());
        }
        drop(ask(&tokens, 666));
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(failed, 0);
    let denials = server.0.load(SeqCst);
    assert!(denials <= 25, "{denials} denials");
    // until a key that has a token is issued the next one
    assert!(new_ones_failed <= 60, "{new_ones_failed} of 360");
}

/// Denies every token request, and says that the credentials have changed.
#[derive(Clone, Debug)]
struct AlwaysChanged(Scripted);

#[async_trait]
impl TokenSource for AlwaysChanged {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.0.fetch(request).await
    }

    async fn credentials_changed(&self) -> bool {
        true
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_always_have_changed_cause_no_request_a_second() {
    let source = Scripted::always(Answer::fails(ErrorKind::Denied));
    let tokens = TokenCache::builder(AlwaysChanged(source.clone()));
    let tokens = tokens.clock(TokioClock::new()).build();
    for _ in 0..6000 {
        tokens.token().await.unwrap_err();
        sleep(Duration::from_millis(100)).await;
    }
    // 20 would be those without any look
    assert!(source.requests() <= 15, "{} in 600 s", source.requests());
}

/// The fetches that come first are of a runtime that is no longer driven; those that have a turn are
/// of another one, and return it.
#[tokio::test(start_paused = true)]
async fn fetches_that_do_not_run_delay_the_next_ones_by_seconds_at_most() {
    let source = Scripted::expires_in(600).latency(secs(1));
    let tokens = caches(source, 2);
    let held = [0, 1].map(|number| ask(&tokens, number));
    settle().await;
    let undriven = std::thread::spawn({
        let tokens = tokens.clone();
        move || {
            let builder = &mut tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_time().build().unwrap();
            runtime.block_on(async {
                (100..110).for_each(|number| drop(ask(&tokens, number)));
                for _ in 0..400 {
                    tokio::task::yield_now().await;
                }
            });
            runtime
        }
    });
    let undriven = undriven.join().unwrap();
    let started = Instant::now();
    let later: Vec<_> = (2..20).map(|number| ask(&tokens, number)).collect();
    for one in held.into_iter().chain(later) {
        one.await.unwrap().unwrap();
    }
    // 9 s without the others
    assert!(started.elapsed() < secs(20), "{:?}", started.elapsed());
    undriven.shutdown_background();
}

/// Each token request takes 8 s, apart from those of key 0.
#[derive(Clone, Debug)]
struct Shareable {
    inner: Scripted,
    slow: Duration,
}

#[async_trait]
impl TokenSource for Shareable {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        if *request != key(0) {
            sleep(self.slow).await;
        }
        self.inner.fetch(request).await
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["shareable"], request))
    }
}

/// A fetch waits for another process, whose token request fails. In the meantime the turns of this
/// process are taken.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_waited_for_another_process_holds_no_lease_in_the_queue() {
    let store = MemoryStore::new();
    let process = |inner: Scripted, limit| {
        let slow = secs(8);
        let default = TokenCache::builder(Shareable { inner, slow });
        let default = default.shared_store(store.clone()).clock(TokioClock::new());
        let builder = TokenCaches::builder(default.build());
        builder.max_concurrent_requests(limit).build().unwrap()
    };
    let failing = Scripted::always(Answer::fails(ErrorKind::Unavailable)).latency(secs(1));
    let other = process(failing, 16);
    let failed = ask(&other, 0);
    settle().await;
    let busy = process(Scripted::expires_in(600), 1);
    let waiting = ask(&busy, 0);
    sleep(Duration::from_millis(200)).await;
    let slow: Vec<_> = (1..5).map(|number| ask(&busy, number)).collect();
    failed.await.unwrap().unwrap_err();
    sleep(secs(3)).await;
    let third = process(Scripted::expires_in(600), 16);
    let started = Instant::now();
    ask(&third, 0).await.unwrap().unwrap();
    assert!(started.elapsed() < secs(1), "{:?}", started.elapsed());
    for one in slow.into_iter().chain([waiting]) {
        one.await.unwrap().unwrap();
    }
}

/// The effective request of key 1 is key 2, and that of key 2 is key 3, until it is itself.
#[derive(Clone, Debug)]
struct Chain {
    inner: Scripted,
    ends: Arc<AtomicUsize>,
}

#[async_trait]
impl TokenSource for Chain {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.inner.fetch(request).await
    }

    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        match self.ends.load(SeqCst) {
            0 if *request == key(1) => key(2),
            0 if *request == key(2) => key(3),
            _ => request.clone(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_of_an_alias_neither_keeps_a_cache_nor_evicts_one_in_use() {
    let source = Chain {
        inner: Scripted::expires_in(86_400),
        ends: Arc::default(),
    };
    let default = TokenCache::builder(source.clone()).clock(TokioClock::new());
    let tokens = TokenCaches::builder(default.build()).time_to_idle(secs(10));
    let tokens = tokens.build().unwrap();
    let idle = async |used: usize| {
        for _ in 0..40 {
            sleep(secs(1)).await;
            let _ = tokens.cached(&key(used));
        }
    };
    for number in [500, 2, 1] {
        ask(&tokens, number).await.unwrap().unwrap();
    }
    assert_eq!(tokens.additional_caches(), 2, "500 and 3");
    idle(500).await;
    assert_eq!(tokens.additional_caches(), 1, "3 was idle");
    // key 2 is an idle alias, and key 1 is used
    for number in [2, 1] {
        ask(&tokens, number).await.unwrap().unwrap();
    }
    for _ in 0..40 {
        sleep(secs(1)).await;
        let _ = tokens.cached(&key(1));
    }
    source.ends.store(1, SeqCst);
    ask(&tokens, 500).await.unwrap().unwrap();
    let held = tokens.cache(&key(2));
    held.token().await.unwrap();
    idle(500).await;
    assert!(tokens.cached(&key(2)).is_some(), "a cache in use");
    drop(held);
    idle(500).await;
    assert_eq!(tokens.additional_caches(), 1);
}
