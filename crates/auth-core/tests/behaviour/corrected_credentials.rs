//! A pause ends with its cause: a corrected secret is used at once.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use auth_core::{
    ClientAuthentication, ClientCredentials, ClientSecret, Error, HttpTransport, TokenCache,
    TransportBody, async_trait,
};
use auth_test_support::secs;
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
struct SecretFile(PathBuf);

impl SecretFile {
    fn new(name: &str, secret: &str) -> Self {
        let name = format!("auth-core-{name}-{}", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(secret);
        file
    }

    fn write(&self, secret: &str) {
        std::fs::write(&self.0, secret).unwrap();
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn tokens(file: &SecretFile, server: &Server, clock: &ManualClock, keep_warm: bool) -> TokenCache {
    let secret = ClientSecret::from_file(&file.0).unwrap();
    let authentication = ClientAuthentication::client_secret_post(secret);
    let grant = ClientCredentials::builder("https://as.example/token", "client", authentication);
    let mut builder = TokenCache::builder(grant.build(server.clone()).unwrap());
    if keep_warm {
        builder = builder.keep_warm();
    }
    builder.clock(clock.clone()).build()
}

/// Lets tasks and blocking reads of files finish.
async fn settle() {
    for _ in 0..20 {
        tokio::task::spawn_blocking(|| {}).await.unwrap();
        auth_test_support::settle().await;
    }
}

#[tokio::test]
async fn a_corrected_secret_file_is_used_within_about_a_second() {
    let file = SecretFile::new("corrected", "wrong");
    let (server, clock) = (Server::default(), ManualClock::new());
    let tokens = tokens(&file, &server, &clock, false);
    // two denials: the pause is now about a minute
    tokens.token().await.unwrap_err();
    clock.advance(secs(40));
    settle().await;
    tokens.token().await.unwrap_err();
    assert_eq!(server.requests(), 2);
    file.write("right");
    let mut waited = 0;
    while tokens.token().await.is_err() {
        settle().await;
        if tokens.token().await.is_ok() {
            break;
        }
        waited += 1;
        clock.advance(secs(1));
        assert!(waited < 200);
    }
    assert!(waited <= 2, "{waited} s");
    assert_eq!(server.requests(), 3);
}
