//! A backoff ends with its cause: a corrected secret is used at once.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientSecret, Error, HttpTransport, TokenCache,
    TokenRequest, TokenSource, TransportBody, async_trait,
};
use auth_test_support::{secs, settle, with_timeout};
use auth_testing::ManualClock;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;

/// Denies every secret but `right`.
#[derive(Clone, Debug, Default)]
struct Server(Arc<AtomicUsize>);

impl Server {
    fn requests(&self) -> usize {
        self.0.load(SeqCst)
    }
}

#[async_trait]
impl HttpTransport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        self.0.fetch_add(1, SeqCst);
        let body = String::from_utf8(request.into_body().to_vec()).unwrap();
        let (status, body) = match body.contains("client_secret=right") {
            true => (
                200,
                r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#,
            ),
            false => (401, r#"{"error":"invalid_client"}"#),
        };
        let body = TransportBody::new(Full::new(Bytes::from(body)));
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

/// A file with a secret, which is removed at the end of the test.
struct SecretFile {
    path: PathBuf,
    /// Reads the file, together with every other source that reads it at this time.
    reader: ClientCredentials,
}

impl SecretFile {
    fn new(name: &str, secret: &str) -> Self {
        let name = format!("auth-core-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, secret).unwrap();
        let reader = grant(&path, Server::default());
        Self { path, reader }
    }

    fn write(&self, secret: &str) {
        std::fs::write(&self.path, secret).unwrap();
    }

    /// Waits until the ready tasks have run, and the read that they wait for has finished.
    async fn settle(&self) {
        settle().await;
        let _ = self.reader.fetch(&TokenRequest::default()).await;
        settle().await;
    }
}

fn grant(path: &Path, server: Server) -> ClientCredentials {
    let secret = ClientSecret::from_file(path).unwrap();
    let authentication = ClientAuthentication::client_secret_post(secret);
    ClientCredentials::builder("https://as.example/token", "client", authentication)
        .build(server)
        .unwrap()
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn tokens(file: &SecretFile, server: &Server, clock: &ManualClock, keep_warm: bool) -> TokenCache {
    let mut builder = TokenCache::builder(grant(&file.path, server.clone()));
    if keep_warm {
        builder = builder.keep_warm();
    }
    builder.clock(clock.clone()).build()
}

/// Waits until no token request is in flight, which would time out by the clock.
async fn answered(tokens: &TokenCache) {
    with_timeout(async {
        while tokens.status().in_flight {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Lets seconds pass until `condition` holds: at most `max`, which is less than the backoff. It is one or
/// two seconds unless a look ends late, on a busy machine.
async fn within(
    max: u64,
    (file, clock, tokens): (&SecretFile, &ManualClock, &TokenCache),
    condition: impl AsyncFn() -> bool,
) {
    for _ in 0..max {
        clock.advance(secs(1));
        let holds = condition().await;
        file.settle().await;
        answered(tokens).await;
        if holds || condition().await {
            return;
        }
    }
    panic!("not within {max} s of the clock");
}

#[tokio::test]
async fn a_corrected_secret_file_is_used_within_about_a_second() {
    let file = SecretFile::new("corrected", "wrong");
    let (server, clock) = (Server::default(), ManualClock::new());
    let tokens = tokens(&file, &server, &clock, false);
    // two denials: the backoff is now about a minute
    tokens.token().await.unwrap_err();
    clock.advance(secs(40));
    file.settle().await;
    tokens.token().await.unwrap_err();
    assert_eq!(server.requests(), 2);
    file.write("right");
    let is_issued = async || tokens.token().await.is_ok();
    within(20, (&file, &clock, &tokens), is_issued).await;
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_token_that_is_kept_warm_without_reads_uses_a_corrected_secret_file() {
    let file = SecretFile::new("warm", "right");
    let (server, clock) = (Server::default(), ManualClock::new());
    let tokens = tokens(&file, &server, &clock, true);
    tokens.token().await.unwrap();
    file.write("wrong");
    for _ in 0..490 {
        settle().await;
        // the attempt times out by this clock
        answered(&tokens).await;
        clock.advance(secs(1));
    }
    file.settle().await;
    let denials = server.requests() - 1;
    assert!((1..=3).contains(&denials), "{denials}");
    file.write("right");
    let is_fresh = async || !tokens.status().stale;
    within(20, (&file, &clock, &tokens), is_fresh).await;
    assert_eq!(server.requests(), 1 + denials + 1);
}

#[tokio::test]
async fn a_stale_token_is_refreshed_with_a_corrected_secret_file() {
    let file = SecretFile::new("stale", "right");
    let (server, clock) = (Server::default(), ManualClock::new());
    let tokens = tokens(&file, &server, &clock, false);
    tokens.token().await.unwrap();
    file.write("wrong");
    clock.advance(secs(500));
    for _ in 0..10 {
        assert!(tokens.cached().is_some());
        file.settle().await;
        answered(&tokens).await;
        clock.advance(secs(1));
    }
    assert_eq!(server.requests(), 2);
    file.write("right");
    let is_fresh = async || tokens.cached().is_some() && !tokens.status().stale;
    within(20, (&file, &clock, &tokens), is_fresh).await;
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn an_unchanged_secret_is_not_tried_again() {
    let file = SecretFile::new("unchanged", "wrong");
    let (server, clock) = (Server::default(), ManualClock::new());
    let tokens = tokens(&file, &server, &clock, false);
    for _ in 0..20 {
        tokens.token().await.unwrap_err();
        file.write("wrong");
        file.settle().await;
        clock.advance(secs(1));
    }
    assert_eq!(server.requests(), 1);
    // another wrong one is tried once
    file.write("wrong, too");
    for _ in 0..10 {
        tokens.token().await.unwrap_err();
        file.settle().await;
        answered(&tokens).await;
        clock.advance(secs(1));
    }
    assert_eq!(server.requests(), 2);
}

/// A source whose looks are counted, wrapped in what a program wraps sources in.
#[derive(Debug)]
struct Denied {
    looks: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    behaviour: Look,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Look {
    Same,
    Changed,
    Panics,
    Hangs,
}

#[async_trait]
impl auth_core::TokenSource for Denied {
    async fn fetch(&self, _: &auth_core::TokenRequest) -> Result<auth_core::TokenResponse, Error> {
        self.requests.fetch_add(1, SeqCst);
        Err(Error::new(auth_core::ErrorKind::Denied, "no"))
    }

    async fn credentials_changed(&self) -> bool {
        self.looks.fetch_add(1, SeqCst);
        match self.behaviour {
            Look::Same => false,
            Look::Changed => true,
            Look::Panics => panic!("s3cr3t"),
            Look::Hangs => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn a_source_is_looked_at_once_a_second_whatever_it_does() {
    for (behaviour, looks, requests) in [
        (Look::Same, 20, 1),
        // a token request after each look, the first ones after a second each
        (Look::Changed, 7, 8),
        (Look::Panics, 20, 1),
        // each look is given up after 10 s
        (Look::Hangs, 2, 1),
    ] {
        let source = Arc::new(Denied {
            looks: Arc::default(),
            requests: Arc::default(),
            behaviour,
        });
        let clock = ManualClock::new();
        let shared: Arc<dyn auth_core::TokenSource> = source.clone();
        let builder = TokenCache::builder(shared).clock(clock.clone());
        let tokens = builder.build();
        for _ in 0..80 {
            for _ in 0..10 {
                assert_eq!(tokens.token().await.unwrap_err().to_string(), "no");
            }
            settle().await;
            clock.advance(secs(1) / 4);
        }
        assert_eq!(source.looks.load(SeqCst), looks, "{behaviour:?}");
        let made = source.requests.load(SeqCst);
        assert!(made.abs_diff(requests) <= 1, "{behaviour:?}: {made}");
        drop(tokens);
        settle().await;
        assert_eq!(Arc::strong_count(&source), 1, "a look outlives its cache");
    }
}

/// The file was empty for a moment while it was rotated.
#[tokio::test]
async fn a_secret_file_that_can_be_read_again_is_used_at_once() {
    let file = SecretFile::new("unreadable", "right");
    let (server, clock) = (Server::default(), ManualClock::new());
    let tokens = tokens(&file, &server, &clock, false);
    file.write("");
    for _ in 0..6 {
        let _ = tokens.token().await;
        file.settle().await;
        clock.advance(secs(12));
    }
    // the backoff is now about 10 s
    tokens.token().await.unwrap_err();
    file.write("right");
    let is_issued = async || tokens.token().await.is_ok();
    within(7, (&file, &clock, &tokens), is_issued).await;
}

/// The API rejects the token, and the secret with which it could be replaced was wrong.
#[tokio::test]
async fn a_rejected_token_is_replaced_with_a_corrected_secret_file() {
    let file = SecretFile::new("rejected", "right");
    let (server, clock) = (Server::default(), ManualClock::new());
    let tokens = tokens(&file, &server, &clock, false);
    let token = tokens.token().await.unwrap();
    file.write("wrong");
    let auth_core::Replacement::Pending(pending) = tokens.reject(&token) else {
        panic!("expected a token request");
    };
    assert!(pending.token().await.is_none());
    file.write("right");
    let is_replaced = async || {
        let _ = tokens.reject(&token);
        server.requests() == 3
    };
    within(20, (&file, &clock, &tokens), is_replaced).await;
}
