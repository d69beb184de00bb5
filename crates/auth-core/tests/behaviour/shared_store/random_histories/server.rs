//! The authorization server, which knows when each of its tokens ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use auth_core::{
    Error, ErrorKind, TokenRequest, TokenResponse, TokenSource, async_trait,
    shared_store::SharedKey,
};
use tokio::time::Instant;

use super::{machine::Machine, network::Network, request_checker::RequestChecker};

/// The answer of the server to token requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answers {
    Tokens,
    Unavailable,
    /// Unavailable, with a `Retry-After` of this many seconds.
    RetryAfter(u64),
    Denials,
}

/// The server's record of a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Issued {
    /// When the token request was sent.
    pub(super) sent: Instant,
    pub(super) ends: Instant,
    pub(super) is_revoked: bool,
}

/// Clones are the same server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) network: Network,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    answers: Answers,
    lifetime: Duration,
    issued: HashMap<String, Issued>,
}

impl Server {
    pub(super) fn new(network: Network, lifetime: Duration) -> Self {
        let state = State {
            answers: Answers::Tokens,
            lifetime,
            issued: HashMap::new(),
        };
        Self {
            network,
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(super) fn set(&self, answers: Answers) {
        self.state().answers = answers;
    }

    pub(super) fn answers(&self) -> Answers {
        self.state().answers
    }

    pub(super) fn lifetime(&self) -> Duration {
        self.state().lifetime
    }

    /// Revokes every token issued so far.
    pub(super) fn revoke(&self) {
        let mut state = self.state();
        state.issued.values_mut().for_each(|t| t.is_revoked = true);
    }

    /// Returns whether there is a token that has not ended.
    pub(super) fn has_living_token(&self) -> bool {
        let now = Instant::now();
        self.state().issued.values().any(|token| now < token.ends)
    }

    pub(super) fn issued(&self, token: &str) -> Option<Issued> {
        self.state().issued.get(token).copied()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn answer(&self, sent: Instant) -> Result<TokenResponse, Error> {
        let mut state = self.state();
        let unavailable = || Error::new(ErrorKind::Unavailable, "scripted");
        match state.answers {
            Answers::Tokens => {}
            Answers::Unavailable => return Err(unavailable()),
            Answers::RetryAfter(seconds) => {
                return Err(unavailable().with_server_retry_after(Duration::from_secs(seconds)));
            }
            Answers::Denials => return Err(Error::new(ErrorKind::Denied, "scripted")),
        }
        let token = format!("t{}", state.issued.len() + 1);
        let issued = Issued {
            sent,
            ends: Instant::now() + state.lifetime,
            is_revoked: false,
        };
        state.issued.insert(token.clone(), issued);
        Ok(TokenResponse::bearer(token)?.with_expires_in(state.lifetime))
    }
}

/// The token source of a process.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) process: usize,
    pub(super) machine: Machine,
    pub(super) server: Server,
    pub(super) request_checker: RequestChecker,
}

pub(super) fn key() -> SharedKey {
    SharedKey::new(["scripted"], &TokenRequest::default())
}

#[async_trait]
impl TokenSource for Source {
    async fn fetch(&self, _: &TokenRequest) -> Result<TokenResponse, Error> {
        let _in_flight = self
            .request_checker
            .record_request(self.process, &self.machine)
            .await;
        let server = self.server.clone();
        let work = async move |on_its_way| server.answer(Instant::now() - on_its_way);
        self.server.network.send(&self.machine, work).await
    }

    fn shared_key(&self, _: &TokenRequest) -> Option<SharedKey> {
        Some(key())
    }
}
