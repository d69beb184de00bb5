//! Keys that the authorization server always denies, and that are the first ones of their client: no
//! issued token contradicts their denials yet.

use std::{
    sync::{
        Arc,
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

/// Denies the client the tokens of audiences that begin with `bad`, or all.
#[derive(Clone, Debug)]
struct Server(Arc<State>);

#[derive(Debug)]
struct State {
    denial: (u16, &'static str),
    denies_all: AtomicUsize,
    denials: AtomicUsize,
}

impl Server {
    fn denying(denial: (u16, &'static str)) -> Self {
        Self(Arc::new(State {
            denial,
            denies_all: AtomicUsize::new(0),
            denials: AtomicUsize::new(0),
        }))
    }

    fn caches(&self) -> TokenCaches {
        let secret = ClientAuthentication::client_secret_basic("s3cr3t");
        let grant = ClientCredentials::builder("https://as.example/token", "client", secret);
        let grant = grant.build(self.clone()).unwrap();
        TokenCaches::from(TokenCache::builder(grant).clock(TokioClock::new()).build())
    }

    fn denials(&self) -> usize {
        self.0.denials.load(SeqCst)
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        sleep(Duration::from_millis(20)).await;
        let is_bad = String::from_utf8_lossy(request.body()).contains("audience=bad");
        let is_denied = is_bad || self.0.denies_all.load(SeqCst) == 1;
        self.0.denials.fetch_add(usize::from(is_denied), SeqCst);
        let (status, body) = match is_denied {
            true => self.0.denial,
            false => (
                200,
                r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
            ),
        };
        let body = TransportBody::new(Full::new(Bytes::from_static(body.as_bytes())));
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

const DENIALS: [(u16, &str); 4] = [
    (401, r#"{"error":"invalid_client"}"#),
    (400, r#"{"error":"unauthorized_client"}"#),
    (401, ""),
    (400, r#"{"error":"invalid_client"}"#),
];

async fn ask(tokens: &TokenCaches, prefix: &str, number: usize) -> Result<(), Error> {
    let audience = format!("{prefix}{number}");
    let request = TokenRequest::builder().audience(audience).build().unwrap();
    tokens.cache(&request).token().await.map(|_| ())
}

/// The denied keys are asked for ten times a second, and the others once.
#[tokio::test(start_paused = true)]
async fn a_client_whose_first_keys_are_denied_loses_no_read_of_another_key() {
    for denial in DENIALS {
        for bad in [1, 2] {
            let server = Server::denying(denial);
            let tokens = server.caches();
            let mut failed = 0;
            // 10 min
            for tick in 0..6000 {
                for number in 0..bad {
                    ask(&tokens, "bad", number).await.unwrap_err();
                }
                if tick % 10 == 5 {
                    for number in 0..5 {
                        failed += usize::from(ask(&tokens, "good", number).await.is_err());
                    }
                    failed += usize::from(ask(&tokens, "new", tick).await.is_err());
                    failed += usize::from(tokens.default_cache().token().await.is_err());
                }
                sleep(Duration::from_millis(100)).await;
            }
            assert_eq!(failed, 0, "of 4,200 with {bad} keys and {denial:?}");
            let denials = server.denials();
            assert!(denials <= 9 * bad + 2, "{denials} denials in 10 min");
        }
    }
}

/// All keys are asked for at the same time, the denied one first.
#[tokio::test(start_paused = true)]
async fn keys_that_wait_while_the_first_one_is_denied_get_their_tokens() {
    let server = Server::denying(DENIALS[0]);
    let tokens = server.caches();
    let bad = ask(&tokens, "bad", 0);
    let good = (0..200).map(|number| ask(&tokens, "good", number));
    let (bad, good) = tokio::join!(bad, join_all(good));
    bad.unwrap_err();
    assert_eq!(good.iter().filter(|one| one.is_err()).count(), 0);
}

/// With more denied keys than are tried at once, each further one costs a backoff at most.
#[tokio::test(start_paused = true)]
async fn further_denied_keys_delay_the_first_token_by_a_backoff_each() {
    let server = Server::denying(DENIALS[0]);
    let tokens = server.caches();
    let mut failed = 0;
    for tick in 0..6000 {
        for number in 0..5 {
            ask(&tokens, "bad", number).await.unwrap_err();
        }
        if tick % 10 == 5 {
            failed += usize::from(ask(&tokens, "good", 0).await.is_err());
        }
        sleep(Duration::from_millis(100)).await;
    }
    // 30, 60 and 120 s, each up to a fifth longer
    assert!(failed <= 255, "{failed} of 600");
}

/// The price: a client that is denied all tokens is denied three instead of one.
#[tokio::test(start_paused = true)]
async fn two_hundred_keys_of_a_denied_client_try_three_keys_before_all_back_off() {
    for denial in DENIALS {
        let server = Server::denying(denial);
        server.0.denies_all.store(1, SeqCst);
        let tokens = server.caches();
        for number in 0..200 {
            ask(&tokens, "k", number).await.unwrap_err();
        }
        assert_eq!(server.denials(), 3);
        // an hour
        for tick in 0..3600 {
            ask(&tokens, "k", tick % 400).await.unwrap_err();
            sleep(secs(1)).await;
        }
        let denials = server.denials();
        assert!(denials <= 3 + 19, "{denials} in an hour");
    }
}
