//! A projected token that Kubernetes replaces while requests use the client.

use std::{
    future::Future,
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use auth_core::{
    AssertionFile, Authorizer, ClientAuthentication, ClientCredentials, Error, RefreshPolicy,
    TokenCache, TokenEndpoint, TokenRequest, TokenResponse, TokenSource, async_trait,
};
use auth_jose::{Algorithm, Jwt, Signer, SigningKey};
use auth_reqwest::ReqwestTransport;
use auth_test_support::{
    hyper_clients::hyper_client,
    reqwest_clients::{reqwest_builder, reqwest_with},
    with_timeout,
};
use auth_testing::{
    AssertionVerifier, AuthorizationServer, ManualClock, ProtectedApi, VerificationKey,
    auth_core::time::Clock, provider,
};
use auth_tower::AuthLayer;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use tokio::{sync::watch, task::JoinSet};
use tower::{Layer, ServiceExt};

use crate::projected_volume::ProjectedVolume;

const REPLACEMENTS: usize = 30;
/// The clients of each stack. Each sends one request after the other.
const CLIENTS: usize = 4;
const LIFETIME: Duration = Duration::from_secs(8);
/// The time before a replacement. The access token is then stale, and is still used.
const STEP: Duration = Duration::from_secs(1);
/// The time before every fifth replacement. The access token is then expired, and requests wait.
const LONG_STEP: Duration = Duration::from_secs(5);

/// A token is stale 0.8 s after its request, and expired 4.8 s after it.
fn policy() -> RefreshPolicy {
    let builder = RefreshPolicy::builder()
        .margin(0.4, LIFETIME)
        .window(0.5, LIFETIME);
    builder.jitter(0.0).build().unwrap()
}

/// The numbers of the projected tokens: of the one that is being written or was written last, and of the
/// one that was written last.
#[derive(Debug, Default)]
struct Newest {
    begun: AtomicUsize,
    written: AtomicUsize,
}

/// Records for each token request which projected tokens were the newest while it was made.
#[derive(Debug)]
struct Observed<S> {
    source: S,
    newest: Arc<Newest>,
    permitted: Arc<Mutex<Vec<RangeInclusive<usize>>>>,
}

#[async_trait]
impl<S: TokenSource> TokenSource for Observed<S> {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let at_the_start = self.newest.written.load(SeqCst);
        let fetched = self.source.fetch(request).await;
        let at_the_end = self.newest.begun.load(SeqCst);
        let permitted = at_the_start..=at_the_end;
        self.permitted.lock().unwrap().push(permitted);
        fetched
    }
}

/// Clients that send one request after the other until the load is over.
#[derive(Default)]
struct Load {
    clients: JoinSet<usize>,
    /// The number of the last replacement.
    replacement: Arc<AtomicUsize>,
    /// For each client, the last replacement before a request that has succeeded.
    succeeded: watch::Sender<Vec<usize>>,
    is_over: Arc<AtomicBool>,
}

impl Load {
    /// Adds a client. It ends when a request fails, or the load is over, and counts its requests.
    fn add<F>(&mut self, send: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = StatusCode> + Send,
    {
        let client = self.clients.len();
        self.succeeded.send_modify(|all| all.push(0));
        let (replacement, is_over) = (Arc::clone(&self.replacement), Arc::clone(&self.is_over));
        let succeeded = self.succeeded.clone();
        self.clients.spawn(async move {
            let mut count = 0;
            while !is_over.load(SeqCst) {
                let begun_after = replacement.load(SeqCst);
                assert_eq!(send().await, 200);
                succeeded.send_modify(|all| all[client] = begun_after);
                count += 1;
            }
            count
        });
    }

    /// Waits until each client has sent a request after this replacement.
    async fn each_has_sent_after(&self, replacement: usize) {
        self.replacement.store(replacement, SeqCst);
        let mut succeeded = self.succeeded.subscribe();
        let is_done = |all: &Vec<usize>| all.iter().all(|after| *after >= replacement);
        succeeded.wait_for(is_done).await.unwrap();
    }

    /// Ends the load, and returns the number of requests of each client.
    async fn end(self) -> Vec<usize> {
        self.is_over.store(true, SeqCst);
        self.clients.join_all().await
    }
}

/// Returns the numbers of the projected tokens that the server has received.
fn presented(server: &AuthorizationServer, written: &[String]) -> Vec<usize> {
    let number = |request: Request<Bytes>| {
        let form = String::from_utf8(request.into_body().to_vec()).unwrap();
        let (_, presented) = form.rsplit_once("&client_assertion=").unwrap();
        written.iter().position(|token| token == presented).unwrap()
    };
    server.requests().into_iter().map(number).collect()
}

/// The file is replaced once a second or less often, by an injected clock, while eight clients send
/// requests. At each replacement their access token has just become stale or expired, so that the
/// replacement comes before a token request or during one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_token_request_carries_the_newest_projected_token_and_no_request_fails() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let public = VerificationKey::from_jwk(&key.public_jwk().unwrap().to_string()).unwrap();
    let cluster = AssertionVerifier::new(public)
        .issuer("cluster")
        .subject("pod");
    let clock = ManualClock::new();
    let server = provider::keycloak("shop", "orders", cluster).clock(Arc::new(clock.clone()));
    let server = server.token_lifetime(LIFETIME).start().await.unwrap();
    let api = ProtectedApi::start(&server).await.unwrap();
    let projected = || {
        let now = clock.now().wall.as_secs();
        let jwt = Jwt::new().claim("iss", "cluster").claim("sub", "pod");
        let jwt = jwt
            .claim("aud", server.issuer())
            .claim("iat", now)
            .claim("exp", now + 3607);
        let jwt = jwt.random_jti().unwrap();
        jwt.sign_now(&key).unwrap().unwrap().expose().to_owned()
    };
    let volume = ProjectedVolume::new();
    let mut written = vec![projected()];
    volume.replace(0, &written[0]);

    let assertion = AssertionFile::new(volume.token()).unwrap();
    let authentication = ClientAuthentication::client_assertion(assertion);
    let endpoint = TokenEndpoint::builder(server.token_endpoint(), authentication);
    let transport = ReqwestTransport::new(reqwest_builder()).unwrap();
    let grant = ClientCredentials::new(endpoint.build(transport).unwrap(), TokenRequest::default());
    let newest = Arc::new(Newest::default());
    let permitted = Arc::new(Mutex::default());
    let source = Observed {
        source: grant.unwrap(),
        newest: Arc::clone(&newest),
        permitted: Arc::clone(&permitted),
    };
    let tokens = TokenCache::builder(source)
        .clock(clock.clone())
        .refresh_policy(policy())
        .build();
    let authorizer = Authorizer::builder(tokens.clone())
        .origin(api.url())
        .build()
        .unwrap();
    let mut load = Load::default();
    for _ in 0..CLIENTS {
        let hyper = AuthLayer::new(authorizer.clone()).layer(hyper_client());
        let url = api.url();
        load.add(move || {
            let request = Request::get(&url).body(Full::<Bytes>::default());
            let sent = hyper.clone().oneshot(request.unwrap());
            async { sent.await.unwrap().status() }
        });
        let (reqwest, url) = (reqwest_with(authorizer.clone()), api.url());
        load.add(move || {
            let sent = reqwest.get(&url).send();
            async { sent.await.unwrap().status() }
        });
    }

    tokens.token().await.unwrap();
    let mut changes = tokens.changes();
    for number in 1..=REPLACEMENTS {
        clock.advance(if number % 5 == 0 { LONG_STEP } else { STEP });
        written.push(projected());
        newest.begun.store(number, SeqCst);
        volume.replace(number, &written[number]);
        newest.written.store(number, SeqCst);
        with_timeout(changes.changed()).await.unwrap();
        while presented(&server, &written).last() != Some(&number) {
            // that token request began before the replacement
            clock.advance(STEP);
            with_timeout(changes.changed()).await.unwrap();
        }
        with_timeout(load.each_has_sent_after(number)).await;
    }
    let counts = with_timeout(load.end()).await;

    assert!(counts.iter().all(|count| *count >= REPLACEMENTS));
    assert!(api.statuses().iter().all(|status| *status == 200));
    let presented = presented(&server, &written);
    let permitted = permitted.lock().unwrap();
    assert_eq!(presented.len(), permitted.len());
    for (number, permitted) in presented.iter().zip(&*permitted) {
        assert!(permitted.contains(number), "{number}, not {permitted:?}");
    }
    for number in 0..=REPLACEMENTS {
        assert!(presented.contains(&number), "{number}: {presented:?}");
    }
}
