//! A token source whose answers the test sends.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use auth_core::{Error, ErrorKind, TokenRequest, TokenResponse, TokenSource, async_trait};
use auth_test_support::secs;
use tokio::sync::oneshot;

/// The answer to a token request. Numbers are seconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    ExpiresIn(u64),
    Fails(ErrorKind),
    /// Fails with a `Retry-After`.
    RetryAfter(ErrorKind, u64),
    Panics,
}

/// An instruction of the test to answer the request in flight.
pub(super) struct Instruction {
    pub(super) answer: Answer,
    /// The token, for an answer with one.
    pub(super) token: String,
    /// Runs before the answer, while the source blocks its thread.
    pub(super) meanwhile: Box<dyn FnOnce() + Send>,
}

#[derive(Clone, Default)]
pub(super) struct ControlledSource(Arc<State>);

#[derive(Default)]
struct State {
    requests: AtomicUsize,
    pending: Mutex<Vec<oneshot::Sender<Instruction>>>,
}

impl ControlledSource {
    /// Returns the number of requests so far.
    pub(super) fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// Returns the number of requests that have been neither answered nor dropped.
    pub(super) fn in_flight(&self) -> usize {
        self.pending().len()
    }

    /// Answers the request in flight.
    pub(super) fn answer(&self, instruction: Instruction) {
        let request = self.pending().pop().unwrap();
        assert!(request.send(instruction).is_ok(), "the request was dropped");
    }

    fn pending(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Instruction>>> {
        let mut pending = self.0.pending.lock().unwrap();
        pending.retain(|request| !request.is_closed());
        pending
    }
}

impl fmt::Debug for ControlledSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlledSource")
    }
}

#[async_trait]
impl TokenSource for ControlledSource {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let (sender, instruction) = oneshot::channel();
        self.0.requests.fetch_add(1, SeqCst);
        self.pending().push(sender);
        let instruction = instruction.await.unwrap();
        (instruction.meanwhile)();
        match instruction.answer {
            Answer::ExpiresIn(seconds) => {
                Ok(TokenResponse::bearer(instruction.token)?.with_expires_in(secs(seconds)))
            }
            Answer::Fails(kind) => Err(Error::new(kind, "scripted")),
            Answer::RetryAfter(kind, seconds) => {
                Err(Error::new(kind, "scripted").with_server_retry_after(secs(seconds)))
            }
            Answer::Panics => panic!("scripted"),
        }
    }
}
