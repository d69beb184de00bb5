//! Four simulated hours in which a client with write access to the server restores old values.
//!
//! The values are made and read by the codec of the store. The server, its clock and its expiry are
//! simulated on tokio's paused clock: four hours of a real server would take four hours.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_core::{
    Authorizer, Error, TokenCache, TokenRequest, TokenResponse, TokenSource,
    adapter::{Decision, Verdict},
    async_trait,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use auth_testing::{MemoryStore, TokioClock};
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use tokio::time::Instant;

use crate::{format::millis, seal_keys::SealKeys, token_codec::TokenCodec};

const LIFETIME: Duration = Duration::from_secs(600);
const HOURS: Duration = Duration::from_secs(4 * 3600);
const PROCESSES: u64 = 10;

/// A simulated server, which an attacker writes to.
struct Server {
    codec: TokenCodec,
    started: Instant,
    /// The value, and its expiry by the server's clock.
    stored: Mutex<Option<(Vec<u8>, u64)>>,
    recorded: Mutex<Vec<Vec<u8>>>,
    /// Leases are not attacked here.
    leases: MemoryStore,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl Server {
    fn now(&self) -> u64 {
        1_700_000_000_000 + millis(self.started.elapsed())
    }

    /// Restores a recorded value as if it were new.
    fn attack(&self) {
        let recorded = self.recorded.lock().unwrap();
        if !recorded.is_empty() {
            let old = recorded[fastrand::usize(..recorded.len())].clone();
            *self.stored.lock().unwrap() = Some((old, self.now() + millis(LIFETIME)));
        }
    }
}

#[async_trait]
impl SharedTokenStore for Server {
    async fn load(&self, key: &SharedKey) -> Result<Option<SharedToken>, Error> {
        let now = self.now();
        let stored = self.stored.lock().unwrap();
        let Some((value, expires_at)) = stored.as_ref().filter(|(_, end)| *end > now) else {
            return Ok(None);
        };
        let left = Duration::from_millis(expires_at - now);
        Ok(self.codec.decode(key, value, now, Some(left)).ok())
    }

    async fn save(&self, key: &SharedKey, token: &SharedToken) -> Result<(), Error> {
        let expires_at = self.now() + millis(token.remaining());
        let value = self.codec.encode(key, token, expires_at)?;
        self.recorded.lock().unwrap().push(value.clone());
        *self.stored.lock().unwrap() = Some((value, expires_at));
        Ok(())
    }

    async fn lease(&self, key: &SharedKey) -> Result<Option<Box<dyn Lease>>, Error> {
        self.leases.lease(key).await
    }

    async fn changed(&self, key: &SharedKey) -> Result<(), Error> {
        self.leases.changed(key).await
    }
}

/// An authorization server, and an API that accepts its tokens until they end.
#[derive(Clone, Debug, Default)]
struct Issuer {
    ends: Arc<Mutex<HashMap<String, Instant>>>,
    issued: Arc<AtomicUsize>,
}

impl Issuer {
    fn accepts(&self, request: &Request<()>) -> bool {
        let token = request.headers()[AUTHORIZATION].to_str().unwrap();
        let ends = self.ends.lock().unwrap();
        ends.get(token.trim_start_matches("Bearer "))
            .is_some_and(|end| *end > Instant::now())
    }
}

#[async_trait]
impl TokenSource for Issuer {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let token = format!("t{}", self.issued.fetch_add(1, Relaxed));
        let end = Instant::now() + LIFETIME;
        self.ends.lock().unwrap().insert(token.clone(), end);
        Ok(TokenResponse::bearer(token)?.with_expires_in(LIFETIME))
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["simulated"], request))
    }
}

/// What became of the requests.
#[derive(Debug, Default, Eq, PartialEq)]
struct Outcomes {
    requests: u64,
    /// Were rejected with the first token.
    rejected: u64,
    /// Received a 401 in the end.
    failed: u64,
}

async fn send(tokens: &TokenCache, issuer: &Issuer, outcomes: &mut Outcomes) {
    outcomes.requests += 1;
    let authorizer = Authorizer::builder(tokens.clone()).origin("https://api.example.com");
    let authorizer = authorizer.build().unwrap();
    tokens.token().await.unwrap();
    let mut request = Request::get("https://api.example.com/").body(()).unwrap();
    let Decision::Authorize(attempt) = authorizer.authorize(&request) else {
        panic!("expected a cached token");
    };
    attempt.apply(request.headers_mut());
    let mut response = Response::new(());
    if issuer.accepts(&request) {
        let _ = attempt.classify(&response, true);
        return;
    }
    outcomes.rejected += 1;
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Verdict::Renew(renewal) = attempt.classify(&response, true)
        && let Some(attempt) = renewal.await.attempt()
    {
        attempt.apply(request.headers_mut());
        if issuer.accepts(&request) {
            let _ = attempt.classify(&Response::new(()), true);
            return;
        }
        let _ = attempt.classify(&response, true);
    }
    outcomes.failed += 1;
}

#[tokio::test(start_paused = true)]
async fn a_restored_value_costs_no_request() {
    let codec = TokenCodec::Sealed(SealKeys::new([KEY]).unwrap());
    let server = Arc::new(Server {
        codec,
        started: Instant::now(),
        stored: Mutex::default(),
        recorded: Mutex::default(),
        leases: MemoryStore::new(),
    });
    let issuer = Issuer::default();
    let process = || {
        TokenCache::builder(issuer.clone())
            .shared_store(server.clone())
            .clock(TokioClock::new())
            .build()
    };
    let mut processes: Vec<TokenCache> = (0..PROCESSES).map(|_| process()).collect();
    let mut outcomes = Outcomes::default();
    let started = Instant::now();
    let mut round = 0;
    while started.elapsed() < HOURS {
        for tokens in &processes {
            server.attack();
            send(tokens, &issuer, &mut outcomes).await;
        }
        // a process is restarted every ten seconds on average
        round += 1;
        if round % 10 == 0 {
            let restarted = fastrand::usize(..processes.len());
            processes[restarted] = process();
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let issued = issuer.issued.load(Relaxed);
    println!("{outcomes:?}, {issued} token requests");
    assert!(outcomes.requests > 100_000, "{outcomes:?}");
    assert_eq!((outcomes.rejected, outcomes.failed), (0, 0), "{outcomes:?}");
}

const KEY: [u8; 32] = *b"a key of 32 bytes for simulation";
