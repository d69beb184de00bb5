//! Rejections, budgets, denials and turns together: what one of them does for itself does not undo what
//! another one promises.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, Error, ErrorKind, HttpTransport,
    Replacement, TokenCache, TokenCaches, TokenRequest, TransportBody, async_trait,
};
use auth_test_support::{
    get,
    scripted::{Answer, Scripted},
    secs, settle,
};
use auth_testing::{ManualClock, MemoryStore, TokioClock};
use bytes::Bytes;
use futures_util::future::pending;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::{Instant, sleep};

use super::{
    exchange::{bare, exchange},
    revocation_simulation::{DAY, Rejects},
    test_client::ORIGIN,
};

fn authorizer(tokens: TokenCache) -> Authorizer {
    Authorizer::builder(tokens).origin(ORIGIN).build().unwrap()
}

fn number(token: &str) -> usize {
    token.trim_start_matches('t').parse().unwrap()
}

/// A cache that is kept warm repeats a failed token request by itself.
#[tokio::test(start_paused = true)]
async fn failures_between_successes_do_not_let_a_warm_cache_exceed_the_budgets() {
    for rejects in Rejects::BOTH {
        let source = (0..2000).fold(
            Scripted::expires_in(DAY).then(Answer::ExpiresIn(secs(DAY))),
            |source, _| {
                source
                    .then(Answer::fails(ErrorKind::Unavailable))
                    .then(Answer::ExpiresIn(secs(DAY)))
            },
        );
        let tokens = TokenCache::builder(source.clone())
            .clock(TokioClock::new())
            .keep_warm();
        let authorizer = authorizer(tokens.build());
        let last = Mutex::new(String::new());
        for _ in 0..1200 {
            let api = async |token: String| {
                *last.lock().unwrap() = token;
                rejects.response()
            };
            exchange(&authorizer, &get(ORIGIN), api).await;
            sleep(Duration::from_millis(100)).await;
        }
        let issued = number(&last.lock().unwrap());
        assert!(issued <= 1 + 4 + 4, "{issued} tokens in two minutes");
    }
}

/// Each call has a runtime of its own, which ends before the token request has been answered.
#[test]
fn token_requests_lost_with_their_runtimes_do_not_use_up_the_budget() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    for rejects in Rejects::BOTH {
        let clock = ManualClock::new();
        let source = Scripted::expires_in(DAY);
        let tokens = TokenCache::builder(source.clone())
            .clock(clock.clone())
            .build();
        let authorizer = authorizer(tokens.clone());
        runtime().block_on(tokens.token()).unwrap();
        let api = async |token: String| match number(&token) {
            1 => rejects.response(),
            _ => bare(200),
        };
        let source = source.hold();
        for _ in 0..6 {
            runtime().block_on(async {
                let request = get(ORIGIN);
                let call = exchange(&authorizer, &request, api);
                tokio::select! {
                    _ = call => {}
                    () = settle() => {}
                }
            });
            clock.advance(secs(2));
        }
        source.release();
        let response = runtime().block_on(exchange(&authorizer, &get(ORIGIN), api));
        assert_eq!(
            response.status(),
            200,
            "{rejects:?}: {} requests",
            source.requests()
        );
    }
}

/// The refresh was in flight when everything was revoked: its token is revoked as well.
#[tokio::test]
async fn a_revoked_token_of_a_refresh_in_flight_is_replaced_by_the_next_request() {
    for rejects in Rejects::BOTH {
        let clock = ManualClock::new();
        let source = Scripted::expires_in(3600);
        let tokens = TokenCache::builder(source.clone())
            .clock(clock.clone())
            .build();
        let authorizer = authorizer(tokens.clone());
        tokens.token().await.unwrap();
        clock.advance(secs(3100));
        let source = source.hold();
        let _ = tokens.cached();
        settle().await;
        assert_eq!(source.in_flight(), 1);
        let api = async |token: String| match number(&token) {
            1 | 2 => rejects.response(),
            _ => bare(200),
        };
        let request = get(ORIGIN);
        let (first, ()) = tokio::join!(exchange(&authorizer, &request, api), async {
            settle().await;
            source.release();
        });
        assert_eq!(first.status(), 401);
        let mut failed = 0;
        for _ in 0..400 {
            let next = exchange(&authorizer, &get(ORIGIN), api).await;
            failed += usize::from(next.status() != 200);
            clock.advance(Duration::from_millis(100));
        }
        assert_eq!(failed, 0, "{rejects:?}");
    }
}

/// A public endpoint accepts every token.
#[tokio::test]
async fn an_outage_beside_a_public_endpoint_lengthens_a_revocation_by_thirty_seconds_at_most() {
    for rejects in Rejects::BOTH {
        for seconds in [2, 5, 10, 20, 45] {
            let clock = ManualClock::new();
            let down = Arc::new(AtomicUsize::new(0));
            let source = Toggle(down.clone(), Scripted::expires_in(DAY));
            let tokens = TokenCache::builder(source).clock(clock.clone()).build();
            let authorizer = authorizer(tokens.clone());
            tokens.token().await.unwrap();
            let api = async |token: String| match number(&token) {
                1 => rejects.response(),
                _ => bare(200),
            };
            let public = async |_: String| bare(200);
            down.store(1, SeqCst);
            let mut last = 0;
            for tick in 0..1200 {
                if tick == seconds * 10 {
                    down.store(0, SeqCst);
                }
                let status = exchange(&authorizer, &get(ORIGIN), api).await.status();
                if status != 200 {
                    last = tick;
                }
                exchange(&authorizer, &get(ORIGIN), public).await;
                clock.advance(Duration::from_millis(100));
            }
            let longer = last / 10 - seconds;
            assert!(longer <= 30, "{rejects:?}: {longer} s after {seconds} s");
        }
    }
}

#[derive(Clone, Debug)]
struct Toggle(Arc<AtomicUsize>, Scripted);

#[async_trait]
impl auth_core::TokenSource for Toggle {
    async fn fetch(&self, request: &TokenRequest) -> Result<auth_core::TokenResponse, Error> {
        match self.0.load(SeqCst) {
            0 => self.1.fetch(request).await,
            _ => Err(Error::new(ErrorKind::Unavailable, "down")),
        }
    }
}

/// `bad…`: denied the client, `hang…`: no response, others: a token.
#[derive(Clone, Debug, Default)]
struct Server(Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>);

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let body = String::from_utf8(request.into_body().to_vec()).unwrap();
        let audience = body.split("audience=").nth(1).unwrap_or("default");
        self.0.lock().unwrap().push(audience.to_owned());
        if audience.starts_with("hang") {
            pending::<()>().await;
        }
        sleep(Duration::from_millis(self.1.load(SeqCst) as u64)).await;
        let number = self.0.lock().unwrap().len();
        let (status, body) = match audience.starts_with("bad") {
            true => (400, r#"{"error":"unauthorized_client"}"#.to_owned()),
            false => (
                200,
                format!(
                    r#"{{"access_token":"abc{number}","token_type":"Bearer","expires_in":600}}"#
                ),
            ),
        };
        let body = TransportBody::new(Full::new(Bytes::from(body)));
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

impl Server {
    fn caches(&self, store: Option<&MemoryStore>) -> TokenCaches {
        self.1.fetch_max(20, SeqCst);
        let secret = ClientAuthentication::client_secret_basic("s3cr3t");
        let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
        let grant = grant.build(self.clone()).unwrap();
        let default = TokenCache::builder(grant).clock(TokioClock::new());
        let default = match store {
            Some(store) => default.shared_store(store.clone()),
            None => default,
        };
        TokenCaches::builder(default.build())
            .max_capacity(100_000)
            .build()
            .unwrap()
    }

    fn requests(&self, prefix: &str) -> usize {
        let all = self.0.lock().unwrap();
        all.iter().filter(|one| one.starts_with(prefix)).count()
    }
}

fn key(prefix: &str, number: usize) -> TokenRequest {
    let audience = format!("{prefix}{number}");
    TokenRequest::builder().audience(audience).build().unwrap()
}

fn ask(
    tokens: &TokenCaches,
    request: &TokenRequest,
) -> tokio::task::JoinHandle<Result<Duration, Error>> {
    let cache = tokens.cache(request);
    tokio::spawn(async move {
        let started = Instant::now();
        cache.token().await.map(|_| started.elapsed())
    })
}

/// The default token of this process was issued to another one.
#[tokio::test(start_paused = true)]
async fn denied_keys_delay_no_token_from_the_shared_store() {
    let store = MemoryStore::new();
    let server = Server::default();
    let [issuing, loading] = [0; 2].map(|_| server.caches(Some(&store)));
    issuing.default_cache().token().await.unwrap();
    issuing.default_cache().flush().await;
    loading.default_cache().token().await.unwrap();
    assert_eq!(server.requests("default"), 1);
    let (mut failed, mut of_issuing) = (0, 0);
    for tick in 0..12_000 {
        drop(ask(&loading, &key("bad", tick)));
        drop(ask(&issuing, &key("bad", tick)));
        if tick % 10 == 5 {
            failed += usize::from(loading.default_cache().token().await.is_err());
            of_issuing += usize::from(issuing.default_cache().token().await.is_err());
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!(server.requests("bad") <= 400, "{}", server.requests("bad"));
    assert_eq!((of_issuing, failed), (0, 0), "of 1,200");
}

/// The same, when an API rejects the token.
#[tokio::test(start_paused = true)]
async fn denied_keys_do_not_withhold_the_replacement_of_a_revoked_token() {
    for with_store in [false, true] {
        let store = MemoryStore::new();
        let server = Server::default();
        let tokens = server.caches(Some(&store));
        tokens.default_cache().token().await.unwrap();
        tokens.default_cache().flush().await;
        let tokens = match with_store {
            true => server.caches(Some(&store)),
            false => tokens,
        };
        let token = tokens.default_cache().token().await.unwrap();
        for tick in 0..20 {
            let _ = ask(&tokens, &key("bad", tick)).await;
        }
        let Replacement::Pending(next) = tokens.default_cache().reject(&token) else {
            panic!("no replacement, with_store {with_store}");
        };
        assert!(next.token().await.is_some());
    }
}

/// A denied key limits new keys to one token request at a time, and others hang.
#[tokio::test(start_paused = true)]
async fn a_denied_key_beside_keys_that_hang_fails_no_new_key() {
    let server = Server::default();
    let tokens = server.caches(None);
    tokens.default_cache().token().await.unwrap();
    let mut asked = Vec::new();
    for tick in 0..180 {
        if tick % 10 == 0 {
            drop(ask(&tokens, &key("bad", tick)));
            settle().await;
        }
        if tick % 3 == 0 {
            drop(ask(&tokens, &key("hang", tick)));
        }
        asked.push(ask(&tokens, &key("new", tick)));
        sleep(secs(1)).await;
    }
    let (mut failed, mut longest) = (0, Duration::ZERO);
    for one in asked {
        match one.await.unwrap() {
            Ok(took) => longest = longest.max(took),
            Err(_) => failed += 1,
        }
    }
    assert_eq!(failed, 0, "longest {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn one_denied_key_before_64_that_hang_fails_no_new_key() {
    let server = Server::default();
    let tokens = server.caches(None);
    tokens.default_cache().token().await.unwrap();
    let _ = ask(&tokens, &key("bad", 0)).await;
    for number in 0..64 {
        drop(ask(&tokens, &key("hang", number)));
    }
    let mut asked = Vec::new();
    for tick in 0..180 {
        asked.push(ask(&tokens, &key("new", tick)));
        sleep(secs(1)).await;
    }
    let (mut failed, mut longest) = (0, Duration::ZERO);
    for one in asked {
        match one.await.unwrap() {
            Ok(took) => longest = longest.max(took),
            Err(_) => failed += 1,
        }
    }
    assert_eq!(failed, 0, "longest {longest:?}");
}

/// The tokens of all keys are revoked while thousands of new keys wait.
#[tokio::test(start_paused = true)]
async fn revoked_tokens_are_replaced_before_new_keys() {
    let server = Server::default();
    server.1.store(1000, SeqCst);
    let tokens = server.caches(None);
    let mut held = Vec::new();
    for number in 0..40 {
        let cache = tokens.cache(&key("old", number));
        held.push((cache.token().await.unwrap(), cache));
    }
    let default = tokens.default_cache().clone();
    held.push((default.token().await.unwrap(), default));
    let new: Vec<_> = (0..5000).map(|n| ask(&tokens, &key("new", n))).collect();
    settle().await;
    let started = Instant::now();
    for (token, cache) in &held {
        let Replacement::Pending(next) = cache.reject(token) else {
            panic!("no replacement");
        };
        tokio::spawn(async move { next.token().await.unwrap() });
    }
    sleep(secs(6)).await;
    for (token, cache) in &held {
        let now = cache.cached().unwrap();
        assert!(
            *now.header() != *token.authorization().header(),
            "{:?}",
            started.elapsed()
        );
    }
    new.iter().for_each(tokio::task::JoinHandle::abort);
}
