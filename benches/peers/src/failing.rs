//! A token source that fails, and counts its token requests.

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

use bytes::Bytes;
use http::StatusCode;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use url::Url;

use crate::loopback;

/// The number of callers at the same time, without a token.
pub const CALLERS: usize = 32;

const LATENCY: Duration = Duration::from_millis(50);

/// The failure of the source. Some clients distinguish the two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// The client is denied, and a retry is useless.
    Denied,
    /// An outage.
    Unavailable,
}

impl Failure {
    /// The response of a token endpoint with this failure.
    pub(crate) fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Denied => (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "{}"),
        }
    }
}

/// Fails 50 ms after a token request, and not before all callers wait.
#[derive(Clone, Debug)]
pub struct Source(Arc<State>);

#[derive(Debug)]
struct State {
    failure: Failure,
    callers: usize,
    waiting: watch::Sender<usize>,
    requests: AtomicUsize,
    bodies: Mutex<HashSet<Bytes>>,
}

impl Source {
    pub(crate) fn new(failure: Failure, callers: usize) -> Self {
        Self(Arc::new(State {
            failure,
            callers,
            waiting: watch::Sender::new(0),
            requests: AtomicUsize::new(0),
            bodies: Mutex::default(),
        }))
    }

    pub fn callers(&self) -> usize {
        self.0.callers
    }

    pub fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// The number of different requests over HTTP. A retry repeats its request.
    pub fn different_requests(&self) -> usize {
        self.0.bodies.lock().unwrap().len()
    }

    /// Handles one token request.
    pub(crate) async fn fail(&self) -> Failure {
        self.0.requests.fetch_add(1, SeqCst);
        let mut waiting = self.0.waiting.subscribe();
        waiting
            .wait_for(|waiting| *waiting == self.0.callers)
            .await
            .unwrap();
        sleep(LATENCY).await;
        self.0.failure
    }

    /// Serves this source as a token endpoint on loopback, and returns its URL.
    pub(crate) async fn serve(&self) -> Url {
        let source = self.clone();
        loopback::serve(move |body| {
            let source = source.clone();
            async move {
                source.0.bodies.lock().unwrap().insert(body);
                let (status, body) = source.fail().await.answer();
                (status, body.to_owned())
            }
        })
        .await
    }

    /// Runs all callers at the same time. All of them fail.
    pub(crate) async fn asked<T, E, A>(&self, ask: impl Fn() -> A)
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
                source.0.waiting.send_modify(|waiting| *waiting += 1);
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
}
