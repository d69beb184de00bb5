//! One fetch: the source, its deadline, its immediate retry, its panics.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::inner::Counters;
use crate::{
    Error, ErrorKind, TokenRequest, TokenResponse, TokenSource,
    attempt_time::AttemptTime,
    events,
    time::{AnyClock, Now},
};

/// One fetch. It does not hold the cache, and so does not keep it alive.
pub(super) struct Fetch {
    pub(super) source: Arc<dyn TokenSource>,
    pub(super) request: TokenRequest,
    pub(super) clock: AnyClock,
    pub(super) counters: Arc<Counters>,
    /// By the monotonic clock.
    pub(super) deadline: Duration,
    /// The attempt timeout. `None` if a usable token makes the deadline earlier.
    pub(super) timeout: Option<Duration>,
    /// The jitter of the token that this fetch obtains, in 0–1.
    pub(super) draw: f64,
}

/// The result of a fetch.
pub(super) struct Fetched {
    /// The time before the request was sent, or before the token was loaded from the store.
    pub(super) requested_at: Now,
    pub(super) result: Result<TokenResponse, Error>,
    /// Whether another process had requested the token.
    pub(super) from_store: bool,
}

impl Fetch {
    /// Requests a token from the source.
    ///
    /// A connection that fails before a response may have been a pooled connection that the server
    /// had just closed. The request is then repeated once, immediately.
    pub(super) async fn run(&self) -> Fetched {
        self.counters.count_token_request();
        let started = self.clock.now();
        let attempts = async {
            let requested_at = self.clock.now();
            match self.call_source().await {
                Err(error) if error.kind() == ErrorKind::Connection => {
                    events::connection_retried(&error);
                    let requested_at = self.clock.now();
                    (requested_at, self.call_source().await)
                }
                result => (requested_at, result),
            }
        };
        let attempts = self.clock.before(self.deadline, attempts);
        let (requested_at, result) =
            catch_panic(ErrorKind::Panicked, "the token source panicked", attempts)
                .await
                .unwrap_or_else(|panicked| Some((started, Err(panicked))))
                .unwrap_or_else(|| (started, Err(self.timed_out())));
        Fetched {
            requested_at,
            result,
            from_store: false,
        }
    }

    /// Calls the source when polled, so that a panic of the call itself is caught as well.
    async fn call_source(&self) -> Result<TokenResponse, Error> {
        let attempt = AttemptTime::new(self.clock.clone(), self.deadline);
        let fetched = attempt.scope(async { self.source.fetch(&self.request).await });
        fetched.await?.within_bounds()
    }

    fn timed_out(&self) -> Error {
        let within = match self.timeout {
            Some(timeout) => format!("within {:.1} s, the attempt timeout", timeout.as_secs_f64()),
            None => "within half of the time that the current token remains usable".to_owned(),
        };
        Error::new(
            ErrorKind::Timeout,
            format!("the token request received no response {within}"),
        )
    }
}

/// Runs user code, and returns an error if it panics, also while its finished future is dropped.
///
/// The payload of a panic may hold a secret. The error therefore states only `what`.
pub(super) async fn catch_panic<T>(
    kind: ErrorKind,
    what: &'static str,
    user_code: impl Future<Output = T>,
) -> Result<T, Error> {
    let mut user_code = pin!(user_code);
    poll_fn(|cx| {
        let user_code = user_code.as_mut();
        // the future is not polled again after a panic
        match catch_unwind(AssertUnwindSafe(|| user_code.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_payload) => Poll::Ready(Err(Error::new(kind, what))),
        }
    })
    .await
}
