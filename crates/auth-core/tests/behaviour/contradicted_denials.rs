//! Denials of the client beside tokens that other keys are issued: whether a denial concerns the client
//! or its key alone.

use std::{
    fmt,
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
use auth_test_support::secs;
use auth_testing::TokioClock;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::sleep;

const TOKEN: Answer = Answer::new(
    200,
    r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
);
const INVALID_CLIENT: Answer = Answer::new(401, r#"{"error":"invalid_client"}"#);
const UNAUTHORIZED_CLIENT: Answer = Answer::new(400, r#"{"error":"unauthorized_client"}"#);
const INVALID_SCOPE: Answer = Answer::new(400, r#"{"error":"invalid_scope"}"#);

#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    body: &'static str,
    retry_after: Option<&'static str>,
    latency: Duration,
}

impl Answer {
    const fn new(status: u16, body: &'static str) -> Self {
        Self {
            status,
            body,
            retry_after: None,
            latency: Duration::from_millis(20),
        }
    }
}

type Rule = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

/// Decides about each token request when it arrives, by its audience.
#[derive(Clone)]
struct Server {
    rule: Arc<Mutex<Rule>>,
    denials: Arc<AtomicUsize>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    fn new(rule: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            rule: Arc::new(Mutex::new(Arc::new(rule))),
            denials: Arc::default(),
        }
    }

    fn set(&self, rule: impl Fn(&str) -> Answer + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Arc::new(rule);
    }

    /// Returns the number of denials of the client since the last call.
    fn denials(&self) -> usize {
        self.denials.swap(0, SeqCst)
    }

    fn caches(&self) -> TokenCaches {
        let secret = ClientAuthentication::client_secret_basic("s3cr3t");
        let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
        let grant = grant.build(self.clone()).unwrap();
        TokenCaches::from(TokenCache::builder(grant).clock(TokioClock::new()).build())
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let audience = body.split("audience=").nth(1).unwrap_or("default");
        let rule = Arc::clone(&self.rule.lock().unwrap());
        let answer = rule(audience);
        sleep(answer.latency).await;
        let is_denial = [INVALID_CLIENT.body, UNAUTHORIZED_CLIENT.body].contains(&answer.body);
        self.denials.fetch_add(usize::from(is_denial), SeqCst);
        let body = TransportBody::new(Full::new(Bytes::from_static(answer.body.as_bytes())));
        let mut response = Response::builder().status(answer.status);
        if let Some(wait) = answer.retry_after {
            response = response.header("retry-after", wait);
        }
        Ok(response.body(body).unwrap())
    }
}

async fn ask(tokens: &TokenCaches, key: &str) -> Result<(), Error> {
    let request = TokenRequest::builder().audience(key).build().unwrap();
    tokens.cache(&request).token().await.map(|_| ())
}

async fn ask_all(tokens: &TokenCaches, prefix: &str, keys: usize) -> Vec<Result<(), Error>> {
    let one = async |number| ask(tokens, &format!("{prefix}{number}")).await;
    join_all((0..keys).map(one)).await
}

/// The denied key is read ten times as often as the others, and comes first.
#[tokio::test(start_paused = true)]
async fn with_retry_after_delay_no_other_key() {
    for denial in [INVALID_CLIENT, UNAUTHORIZED_CLIENT] {
        for retry_after in ["1", "40"] {
            let retry_after = Some(retry_after);
            let denied = Answer {
                retry_after,
                ..denial
            };
            let server = Server::new(move |key| match key {
                "bad" => denied,
                _ => TOKEN,
            });
            let tokens = server.caches();
            let mut failed = 0;
            // 10 min, in which the default token expires
            for tick in 0..6000 {
                ask(&tokens, "bad").await.unwrap_err();
                if tick % 10 == 5 {
                    failed += usize::from(tokens.default_cache().token().await.is_err());
                    failed += usize::from(ask(&tokens, &format!("new{tick}")).await.is_err());
                }
                sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(failed, 0, "of 1,200, Retry-After: {retry_after:?}");
            let denials = server.denials();
            assert!(denials <= 9 + 2, "{denials} in 10 min");
        }
    }
}

/// The denied key had a token before.
#[tokio::test(start_paused = true)]
async fn of_a_key_that_had_a_token_delay_no_other_key_with_retry_after() {
    let server = Server::new(|_| TOKEN);
    let tokens = server.caches();
    tokens.default_cache().token().await.unwrap();
    ask(&tokens, "bad").await.unwrap();
    server.set(|key| match key {
        "bad" => Answer {
            retry_after: Some("1"),
            ..UNAUTHORIZED_CLIENT
        },
        _ => TOKEN,
    });
    let mut failed = 0;
    for _ in 0..18_000 {
        let _ = ask(&tokens, "bad").await;
        failed += usize::from(tokens.default_cache().token().await.is_err());
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(failed, 0, "of 18,000 in 30 min");
}

/// The client is disabled while 16 token requests are in flight. The first ones of them are answered
/// with a token, and later than the others are denied.
#[tokio::test(start_paused = true)]
async fn are_not_contradicted_by_a_token_that_was_requested_before() {
    for late in [0, 1, 8] {
        let requests = AtomicUsize::new(0);
        let server = Server::new(move |_| match requests.fetch_add(1, SeqCst) {
            number if number < late => Answer {
                latency: Duration::from_millis(300) * (1 + u32::try_from(number).unwrap()),
                ..TOKEN
            },
            _ => INVALID_CLIENT,
        });
        let tokens = server.caches();
        for _ in 0..500 {
            ask_all(&tokens, "k", 40).await;
            sleep(secs(1)).await;
        }
        // those in flight, two further keys, and backoffs of 30, 60, 120 and 240 s
        let denials = server.denials();
        assert!(denials <= 16 + 2 + 5, "{denials} beside {late} tokens");
    }
}

/// Three keys are denied late: meanwhile another key was issued a token by a later token request.
#[tokio::test(start_paused = true)]
async fn that_arrive_after_a_later_token_pause_no_other_key() {
    let server = Server::new(|key| match key.starts_with("bad") {
        true => Answer {
            latency: secs(1),
            ..INVALID_CLIENT
        },
        false => TOKEN,
    });
    let tokens = server.caches();
    let (denied, good) = tokio::join!(ask_all(&tokens, "bad", 5), ask(&tokens, "good"));
    assert!(denied.iter().all(Result::is_err));
    good.unwrap();
    for one in ask_all(&tokens, "new", 50).await {
        one.unwrap();
    }
    assert_eq!(server.denials(), 5);
}

/// Each of 200 keys was denied, and then another key was issued a token. Later the client is denied
/// everything.
#[tokio::test(start_paused = true)]
async fn that_were_contradicted_once_are_not_for_ever() {
    for denial in [INVALID_CLIENT, UNAUTHORIZED_CLIENT] {
        let server = Server::new(move |key| match key.starts_with("odd") {
            true => denial,
            false => TOKEN,
        });
        let tokens = server.caches();
        for number in 0..200 {
            ask(&tokens, &format!("odd{number}")).await.unwrap_err();
            ask(&tokens, &format!("good{number}")).await.unwrap();
        }
        assert_eq!(server.denials(), 200);
        server.set(move |_| denial);
        sleep(secs(60)).await;
        for number in 0..200 {
            ask(&tokens, &format!("odd{number}")).await.unwrap_err();
        }
        assert_eq!(server.denials(), 3 + 3, "three excused, and three caches");
        // 500 s more
        for _ in 0..500 {
            ask_all(&tokens, "odd", 200).await;
            sleep(secs(1)).await;
        }
        let denials = server.denials();
        assert!(denials <= 5, "{denials} in the backoffs");
    }
}

/// A key that is always denied asks less and less often, however often other tokens are refreshed.
#[tokio::test(start_paused = true)]
async fn of_one_key_keep_its_own_backoff_when_another_key_is_issued_a_token() {
    for between in [20, 200, 1000] {
        let server = Server::new(|key| match key {
            "bad" => UNAUTHORIZED_CLIENT,
            _ => TOKEN,
        });
        let tokens = server.caches();
        tokens.default_cache().token().await.unwrap();
        for second in 0..3600 {
            let _ = ask(&tokens, "bad").await;
            if second % between == 0 {
                ask(&tokens, &format!("new{second}")).await.unwrap();
            }
            sleep(secs(1)).await;
        }
        // 30, 60, 120, 240 and then 300 s, each up to a fifth shorter
        let denials = server.denials();
        assert!(
            denials <= 18,
            "{denials} in an hour, a token each {between} s"
        );
    }
}

/// The server checks the scope before the client. Nothing shows that the client is not denied any more.
#[tokio::test(start_paused = true)]
async fn let_one_key_ask_at_a_time_until_a_token_is_issued() {
    let server = Server::new(|key| match key.starts_with("scope") {
        true => INVALID_SCOPE,
        false => INVALID_CLIENT,
    });
    let tokens = server.caches();
    ask_all(&tokens, "k", 40).await;
    assert!(server.denials() <= 16 + 2);
    for second in 0..500 {
        let scope = format!("scope{second}");
        let _ = tokio::join!(ask(&tokens, &scope), ask_all(&tokens, "k", 40));
        let denials = server.denials();
        assert!(denials <= 1, "{denials} after {second} s");
        sleep(secs(1)).await;
    }
}
