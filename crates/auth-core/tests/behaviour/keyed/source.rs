//! A token source that records which token was issued for which request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{Error, TokenRequest, TokenResponse, TokenSource};
use tokio::sync::Semaphore;

/// Issues `t1`, `t2`, …, each for ten minutes, once it is open.
#[derive(Clone, Debug)]
pub(super) struct Register(Arc<State>);

#[derive(Debug)]
struct State {
    asked: Mutex<Vec<TokenRequest>>,
    /// Token requests wait until it is closed.
    gate: Semaphore,
    in_flight: Mutex<HashMap<TokenRequest, usize>>,
}

/// One token request, until it finishes or is dropped.
struct InFlight<'a>(&'a State, &'a TokenRequest);

impl Register {
    /// A source whose token requests wait until it is opened.
    pub(super) fn held() -> Self {
        Self(Arc::new(State {
            asked: Mutex::default(),
            gate: Semaphore::new(0),
            in_flight: Mutex::default(),
        }))
    }

    pub(super) fn open() -> Self {
        let register = Self::held();
        register.release();
        register
    }

    pub(super) fn release(&self) {
        self.0.gate.close();
    }

    /// Returns the number of token requests.
    pub(super) fn requests(&self) -> usize {
        self.0.asked.lock().unwrap().len()
    }

    /// Drops the record of the token requests, and frees its memory.
    pub(super) fn forget(&self) {
        *self.0.asked.lock().unwrap() = Vec::new();
        *self.0.in_flight.lock().unwrap() = HashMap::new();
    }

    /// Returns the number of token requests in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.0.in_flight.lock().unwrap().values().sum()
    }

    /// Returns the request for which a token, `t1` or `Bearer t1`, was issued.
    pub(super) fn request_of(&self, token: &str) -> TokenRequest {
        let number: usize = token
            .trim_start_matches("Bearer t")
            .trim_start_matches('t')
            .parse()
            .unwrap();
        self.0.asked.lock().unwrap()[number - 1].clone()
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        *self.0.in_flight.lock().unwrap().get_mut(self.1).unwrap() -= 1;
    }
}

#[async_trait]
impl TokenSource for Register {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let number = {
            let mut asked = self.0.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len()
        };
        {
            let mut in_flight = self.0.in_flight.lock().unwrap();
            let of_request = in_flight.entry(request.clone()).or_default();
            *of_request += 1;
            assert_eq!(*of_request, 1, "two at a time for {request:?}");
        }
        let _in_flight = InFlight(&self.0, request);
        let closed = self.0.gate.acquire().await;
        assert!(closed.is_err(), "the gate has no permits");
        Ok(TokenResponse::bearer(format!("t{number}"))?.with_expires_in(Duration::from_secs(600)))
    }
}
