//! A token source that answers when it is retry_after to, and never by itself.

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

/// What a token request comes to; seconds where there is a number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    ExpiresIn(u64),
    Fails(ErrorKind),
    /// Fails and says when to come again.
    RetryAfter(ErrorKind, u64),
    Panics,
}

/// What the source does next.
pub(super) struct Instruction {
    pub(super) answer: Answer,
    /// The token, if the answer is one.
    pub(super) token: String,
    /// What happens elsewhere before that, while the source blocks its thread.
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
    /// Requests so far.
    pub(super) fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// Requests that are neither answered nor given up.
    pub(super) fn in_flight(&self) -> usize {
        self.pending().len()
    }

    /// Answers the request under way.
    pub(super) fn answer(&self, instruction: Instruction) {
        let request = self.pending().pop().unwrap();
        assert!(request.send(instruction).is_ok(), "it waits");
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
