//! A token source that answers when it is told to, and never by itself.

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
    Later(ErrorKind, u64),
    Panics,
}

/// What the source does next.
pub(super) struct Cue {
    pub(super) answer: Answer,
    /// The token, if the answer is one.
    pub(super) token: String,
    /// What happens elsewhere before that, while the source blocks its thread.
    pub(super) meanwhile: Box<dyn FnOnce() + Send>,
}

#[derive(Clone, Default)]
pub(super) struct Puppet(Arc<Strings>);

#[derive(Default)]
struct Strings {
    requests: AtomicUsize,
    pending: Mutex<Vec<oneshot::Sender<Cue>>>,
}

impl Puppet {
    /// Requests so far.
    pub(super) fn requests(&self) -> usize {
        self.0.requests.load(SeqCst)
    }

    /// Requests that are neither answered nor given up.
    pub(super) fn in_flight(&self) -> usize {
        self.pending().len()
    }

    /// Answers the request under way.
    pub(super) fn answer(&self, cue: Cue) {
        let request = self.pending().pop().unwrap();
        assert!(request.send(cue).is_ok(), "it waits");
    }

    fn pending(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Cue>>> {
        let mut pending = self.0.pending.lock().unwrap();
        pending.retain(|request| !request.is_closed());
        pending
    }
}

impl fmt::Debug for Puppet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Puppet")
    }
}

#[async_trait]
impl TokenSource for Puppet {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        let (sender, cue) = oneshot::channel();
        self.0.requests.fetch_add(1, SeqCst);
        self.pending().push(sender);
        let cue = cue.await.unwrap();
        (cue.meanwhile)();
        match cue.answer {
            Answer::ExpiresIn(seconds) => {
                Ok(TokenResponse::bearer(cue.token)?.with_expires_in(secs(seconds)))
            }
            Answer::Fails(kind) => Err(Error::new(kind, "scripted")),
            Answer::Later(kind, seconds) => {
                Err(Error::new(kind, "scripted").with_server_retry_after(secs(seconds)))
            }
            Answer::Panics => panic!("scripted"),
        }
    }
}
