//! The token source that all libraries are given. It counts its token requests.

use std::{
    collections::HashSet,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use bench_support::waiters::Waiters;
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use url::Url;

use crate::loopback;

/// The lifetime of the tokens.
pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);
const LATENCY: Duration = Duration::from_millis(50);

/// The failure of a source. Some clients distinguish the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// The client is denied, and a retry is useless.
    Denied,
    /// An outage.
    Unavailable,
}

/// Issues tokens with a lifetime of an hour, or fails.
#[derive(Clone, Debug)]
pub struct Source(Arc<State>);

#[derive(Debug)]
struct State {
    script: Script,
    requests: AtomicUsize,
    bodies: Mutex<HashSet<Bytes>>,
}

#[derive(Debug)]
enum Script {
    Issues,
    /// The first token is held back until all tasks wait for it.
    IssuesLate(Arc<Waiters>),
    /// 50 ms after a token request, and not before all callers wait.
    Fails {
        failure: Failure,
        callers: usize,
        waiting: watch::Sender<usize>,
    },
}

impl Source {
    fn new(script: Script) -> Self {
        Self(Arc::new(State {
            script,
            requests: AtomicUsize::new(0),
            bodies: Mutex::default(),
        }))
    }

    /// Creates a source that issues a token for each request at once.
    pub fn issuing() -> Self {
        Self::new(Script::Issues)
    }

    /// Creates a source that issues the first token once all `waiters` wait.
    pub fn issuing_late(waiters: Arc<Waiters>) -> Self {
        Self::new(Script::IssuesLate(waiters))
    }

    /// Creates a source that fails once this many callers wait.
    pub fn failing(failure: Failure, callers: usize) -> Self {
        Self::new(Script::Fails {
            failure,
            callers,
            waiting: watch::Sender::new(0),
        })
    }

    pub fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// The number of different requests over HTTP. A retry repeats its request.
    pub fn different_requests(&self) -> usize {
        self.0.bodies.lock().unwrap().len()
    }

    /// The number of callers without a token, while the source fails.
    pub fn callers(&self) -> usize {
        match self.0.script {
            Script::Fails { callers, .. } => callers,
            Script::Issues | Script::IssuesLate(_) => 0,
        }
    }

    /// Handles one token request.
    pub(crate) async fn token(&self) -> Result<String, Failure> {
        let earlier = self.0.requests.fetch_add(1, SeqCst);
        match &self.0.script {
            Script::Issues => {}
            Script::IssuesLate(waiters) => {
                if earlier == 0 {
                    waiters.hold().await;
                }
            }
            Script::Fails {
                failure,
                callers,
                waiting,
            } => {
                let mut waiting = waiting.subscribe();
                let all = waiting.wait_for(|waiting| waiting == callers).await;
                drop(all.unwrap());
                sleep(LATENCY).await;
                return Err(*failure);
            }
        }
        Ok(bench_support::token())
    }

    /// The same as the response of a token endpoint.
    pub(crate) async fn response(&self) -> (StatusCode, String) {
        match self.token().await {
            Ok(token) => {
                let body = json!({
                    "access_token": token,
                    "token_type": "Bearer",
                    "expires_in": LIFETIME.as_secs(),
                });
                (StatusCode::OK, body.to_string())
            }
            Err(Failure::Denied) => {
                let body = r#"{"error":"invalid_client"}"#.to_owned();
                (StatusCode::UNAUTHORIZED, body)
            }
            Err(Failure::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned()),
        }
    }

    /// Serves this source as a token endpoint on loopback, and returns its URL. Requires a runtime.
    pub(crate) fn serve(&self) -> Url {
        let source = self.clone();
        loopback::serve(move |body| {
            let source = source.clone();
            async move {
                source.0.bodies.lock().unwrap().insert(body);
                source.response().await
            }
        })
    }

    /// Runs all callers of a failing source at the same time. All of them fail.
    pub(crate) async fn ask<T, E, A>(&self, ask: impl Fn() -> A)
    where
        T: Send + 'static,
        E: fmt::Debug + Send + 'static,
        A: Future<Output = Result<T, E>> + Send + 'static,
    {
        let mut callers = JoinSet::new();
        for _ in 0..self.callers() {
            let (asking, source) = (ask(), self.clone());
            callers.spawn(async move {
                let mut asking = pin!(asking);
                let first = poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx))).await;
                source.caller_waits();
                match first {
                    Poll::Ready(outcome) => outcome,
                    Poll::Pending => asking.await,
                }
            });
        }
        for outcome in callers.join_all().await {
            assert!(outcome.is_err(), "the source issues no token");
        }
    }

    fn caller_waits(&self) {
        if let Script::Fails { waiting, .. } = &self.0.script {
            waiting.send_modify(|waiting| *waiting += 1);
        }
    }
}
