//! An authorization server in simulated time, with a capacity and an outage.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{
    Error, ErrorKind, TokenRequest, TokenResponse, TokenSource, async_trait,
    shared_store::SharedKey,
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    record::{Record, lock},
    scenario::{Capacity, Outage, Overload, Scenario, Silence},
};

/// The time of a round trip.
const LATENCY: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct AuthorizationServer {
    start: Instant,
    lifetime: Duration,
    capacity: Option<Capacity>,
    outage: Option<Outage>,
    /// When the server will have served all accepted requests.
    busy_until: Mutex<Instant>,
    record: Arc<Mutex<Record>>,
}

impl AuthorizationServer {
    pub(super) fn new(scenario: &Scenario, start: Instant, record: &Arc<Mutex<Record>>) -> Self {
        Self {
            start,
            lifetime: scenario.lifetime,
            capacity: scenario.capacity,
            outage: scenario.outage,
            busy_until: Mutex::new(start),
            record: Arc::clone(record),
        }
    }

    /// Returns when the request is served, or an error if it is not accepted.
    fn accept(&self, now: Instant) -> Result<Instant, Error> {
        let Some(capacity) = self.capacity else {
            return Ok(now);
        };
        let takes = Duration::from_secs(1) / capacity.per_second;
        let mut busy_until = lock(&self.busy_until);
        if busy_until.duration_since(now) >= takes * capacity.queue {
            return Err(capacity.beyond.error());
        }
        *busy_until = (*busy_until).max(now) + takes;
        Ok(*busy_until)
    }
}

#[async_trait]
impl TokenSource for AuthorizationServer {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let now = Instant::now();
        lock(&self.record).request(now);
        let outage = self.outage.filter(|outage| outage.is_on(now - self.start));
        let served_at = match outage.map(|outage| outage.silence) {
            Some(Silence::NoAnswer) => return pending().await,
            Some(Silence::Unavailable) => Err(Overload::Unavailable.error()),
            None => self.accept(now),
        };
        match served_at {
            Ok(served_at) => sleep_until(served_at + LATENCY).await,
            Err(error) => {
                sleep(LATENCY).await;
                return Err(error);
            }
        }
        let number = lock(&self.record).token();
        Ok(TokenResponse::bearer(format!("token-{number}"))?.with_expires_in(self.lifetime))
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        Some(SharedKey::new(["https://as.example.com", "fleet"], request))
    }
}

impl Overload {
    fn error(self) -> Error {
        match self {
            Self::Unavailable => Error::new(ErrorKind::Unavailable, "503"),
            Self::TooManyRequests {
                retry_after,
                spread,
            } => {
                let seconds = fastrand::u64(retry_after..=retry_after + spread);
                Error::new(ErrorKind::Unavailable, "429")
                    .with_server_retry_after(Duration::from_secs(seconds))
            }
        }
    }
}
