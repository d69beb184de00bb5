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
use auth_testing::TokioClock;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::sleep;

const TOKEN: Answer = Answer::new(
    200,
    r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
);
const INVALID_CLIENT: Answer = Answer::new(401, r#"{"error":"invalid_client"}"#);
const UNAUTHORIZED_CLIENT: Answer = Answer::new(400, r#"{"error":"unauthorized_client"}"#);

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
