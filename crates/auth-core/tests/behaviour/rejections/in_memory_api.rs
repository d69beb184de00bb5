//! An API in memory, for tests with a clock of their own.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use tokio::sync::Semaphore;

/// Rejects the revoked tokens, and every token at `/bad`. It responds with 403 at `/forbidden`, with 503 at
/// `/busy`, and at `/slow` once the test releases the response.
#[derive(Clone, Debug)]
pub(super) struct InMemoryApi(Arc<State>);

#[derive(Debug)]
struct State {
    revoked: Mutex<HashSet<String>>,
    shown: Mutex<Vec<String>>,
    /// Requests of `/slow` wait until it is closed.
    slow: Semaphore,
}

impl InMemoryApi {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            revoked: Mutex::default(),
            shown: Mutex::default(),
            slow: Semaphore::new(0),
        }))
    }

    /// Rejects this token from now on.
    pub(super) fn revoke(&self, token: &str) {
        self.0.revoked.lock().unwrap().insert(token.to_owned());
    }

    /// Releases the responses of `/slow`.
    pub(super) fn release(&self) {
        self.0.slow.close();
    }

    /// Returns the token of each request so far.
    pub(super) fn shown(&self) -> Vec<String> {
        self.0.shown.lock().unwrap().clone()
    }

    /// Returns the response to a request with a token.
    pub(super) async fn answer(&self, request: &Request<Full<Bytes>>) -> Response<Bytes> {
        let header = request.headers()[AUTHORIZATION].to_str().unwrap();
        let token = header.trim_start_matches("Bearer ").to_owned();
        self.0.shown.lock().unwrap().push(token.clone());
        let path = request.uri().path();
        if path == "/slow" {
            let closed = self.0.slow.acquire().await;
            assert!(closed.is_err(), "the gate has no permits");
        }
        let revoked = self.0.revoked.lock().unwrap().contains(&token);
        let (status, body) = match path {
            "/forbidden" => (StatusCode::FORBIDDEN, String::new()),
            "/busy" => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            _ if revoked || path == "/bad" => (StatusCode::UNAUTHORIZED, format!("not {token}")),
            _ => (StatusCode::OK, "welcome".to_owned()),
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        response
    }
}
