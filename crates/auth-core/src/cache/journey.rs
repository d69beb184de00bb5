//! The task of a flight: one token request, kept within its time, whatever the source does.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    task::Poll,
    time::Duration,
};

use tokio::sync::watch;

use super::{Shared, fleet::Found, landing::Outcome};
use crate::{
    Error, ErrorKind, SharedTokenStore, TokenRequest, TokenResponse, TokenSource, events,
    time::{AnyClock, Now},
};

/// One token request under way. It does not hold the cache, and so does not keep it alive.
pub(super) struct Journey {
    pub(super) number: u64,
    pub(super) deadline: Duration,
    pub(super) cache: Weak<Shared>,
    pub(super) source: Arc<dyn TokenSource>,
    pub(super) request: TokenRequest,
    /// Where other processes find what comes, if they are to.
    pub(super) store: Option<Arc<dyn SharedTokenStore>>,
    pub(super) clock: AnyClock,
    /// Dropped unused it tells the waiters that nothing will come.
    pub(super) outcome: watch::Sender<Option<Outcome>>,
}

impl Journey {
    /// Asks for a token, tells the cache, the waiters and the operators what came of it and, if the
    /// cache is to be kept warm, sleeps until the next renewal is due and starts that.
    pub(super) async fn fly(self) {
        let Found {
            sent,
            result,
            is_shared,
            place,
            lease,
        } = self.find().await;
        let Some(cache) = self.cache.upgrade() else {
            return;
        };
        let minted = result.as_ref().ok().filter(|_| !is_shared).cloned();
        let landing = cache.land(self.number, sent, result, is_shared);
        let minted = minted.and_then(|minted| cache.worth_sharing(minted, sent));
        let keep_warm = cache.keep_warm;
        drop(cache);
        self.outcome.send_replace(Some(landing.outcome.clone()));
        if let Some(place) = place {
            self.share(&place, minted, lease, landing.pause()).await;
        }
        // whoever waits until this is settled need not wait for the next
        drop(self.outcome);
        // a subscriber that panics must not end the renewals of a cache that is kept warm
        let _ = unpanicked(async { landing.tell() }).await;
        if let Some(next) = landing.next.filter(|_| keep_warm) {
            self.clock.sleep_until(next).await;
            if let Some(cache) = self.cache.upgrade() {
                cache.renew_to_keep_warm(self.number);
            }
        }
    }

    /// The result, and when the request that brought it was sent.
    ///
    /// A connection that fails before there is an answer may have been a kept one that the other
    /// side had just closed: that is worth one more attempt at once.
    pub(super) async fn ask(&self) -> (Now, Result<TokenResponse, Error>) {
        if let Some(cache) = self.cache.upgrade() {
            cache.requests.fetch_add(1, Relaxed);
        }
        let started = self.clock.now();
        let attempts = async {
            let sent = self.clock.now();
            match self.fetch().await {
                Err(error) if error.kind() == ErrorKind::Connection => {
                    events::second_attempt(&error);
                    let sent = self.clock.now();
                    (sent, self.fetch().await)
                }
                result => (sent, result),
            }
        };
        let in_time = unpanicked(self.clock.before(self.deadline, attempts)).await;
        in_time
            .unwrap_or_else(|panicked| Some((started, Err(panicked))))
            .unwrap_or_else(|| {
                let allowed = self.deadline.saturating_sub(started.monotonic);
                let error = Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "no answer to the token request within {:.1} s",
                        allowed.as_secs_f64()
                    ),
                );
                (started, Err(error))
            })
    }

    /// Calls the source only when it is polled, so that a panic of the call is caught as well.
    async fn fetch(&self) -> Result<TokenResponse, Error> {
        self.source.fetch(&self.request).await
    }
}

/// A panic of what is the user's, of its future or of what that drops, as an error.
///
/// What it panicked with may hold anything, a secret too: only that it did is told.
pub(super) async fn unpanicked<T>(users: impl Future<Output = T>) -> Result<T, Error> {
    let mut users = pin!(users);
    poll_fn(|cx| {
        let users = users.as_mut();
        // it is not polled again after a panic
        match catch_unwind(AssertUnwindSafe(|| users.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_payload) => {
                let panicked = Error::new(ErrorKind::Panicked, "the token source panicked");
                Poll::Ready(Err(panicked))
            }
        }
    })
    .await
}
