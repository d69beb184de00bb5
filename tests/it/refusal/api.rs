//! An API in memory, for tests whose time is the test's.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use tokio::sync::Semaphore;
use tower::{Service, service_fn};

/// Refuses the tokens that it is told to; at `/bad` it refuses all, at `/forbidden` it says 403 and
/// at `/busy` 503, whatever the token. At `/slow` it answers once it is let.
#[derive(Clone, Debug)]
pub(super) struct Api(Arc<State>);

#[derive(Debug)]
struct State {
    revoked: Mutex<HashSet<String>>,
    shown: Mutex<Vec<String>>,
    /// Closed when `/slow` may answer.
    slow: Semaphore,
}

impl Api {
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            revoked: Mutex::default(),
            shown: Mutex::default(),
            slow: Semaphore::new(0),
        }))
    }

    /// Refuses this token from now on.
    pub(super) fn revoke(&self, token: &str) {
        self.0.revoked.lock().unwrap().insert(token.to_owned());
    }

    /// Lets `/slow` answer.
    pub(super) fn release(&self) {
        self.0.slow.close();
    }

    /// The token of each request so far.
    pub(super) fn shown(&self) -> Vec<String> {
        self.0.shown.lock().unwrap().clone()
    }

    pub(super) fn service(
        &self,
    ) -> impl Service<
        Request<Full<Bytes>>,
        Response = Response<Full<Bytes>>,
        Error = Infallible,
        Future: Send,
    > + Clone
    + use<> {
        let api = self.clone();
        service_fn(move |request| {
            let api = api.clone();
            async move { Ok(api.answer(request).await) }
        })
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
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
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response
    }
}
