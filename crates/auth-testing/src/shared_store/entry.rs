//! The entry of one key: a token and a lease.

use std::time::Duration;

use auth_core::shared_store::SharedToken;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Entry {
    token: Option<SavedToken>,
    /// The number of the lease, and its end.
    lease: Option<(u64, Instant)>,
}

#[derive(Debug)]
struct SavedToken {
    /// As old as it was when it was saved.
    token: SharedToken,
    saved_at: Instant,
}

impl SavedToken {
    fn age(&self, now: Instant) -> Duration {
        let since = now.duration_since(self.saved_at);
        self.token.age().saturating_add(since)
    }
}

impl Entry {
    /// Returns the token, with its age at `now`, if it has not ended.
    pub(super) fn token(&self, now: Instant) -> Option<SharedToken> {
        let saved = self.token.as_ref()?;
        let token = saved.token.clone().with_age(saved.age(now));
        (!token.remaining().is_zero()).then_some(token)
    }

    /// Saves the token, unless the entry holds a usable one that was issued later.
    pub(super) fn save(&mut self, token: &SharedToken, now: Instant) {
        let is_older = self
            .token
            .as_ref()
            .is_some_and(|saved| saved.age(now) < token.age() && self.token(now).is_some());
        if !is_older {
            self.token = Some(SavedToken {
                token: token.clone(),
                saved_at: now,
            });
        }
    }

    /// Acquires the lease, if it is free.
    pub(super) fn acquire(&mut self, lease: u64, until: Instant) -> bool {
        let is_free = self.leased_until().is_none();
        if is_free {
            self.lease = Some((lease, until));
        }
        is_free
    }

    /// Moves the end of this lease, if it has not ended.
    pub(super) fn extend(&mut self, lease: u64, until: Instant) {
        if self.is_leased_by(lease) {
            self.lease = Some((lease, until));
        }
    }

    /// Ends this lease, if it has not ended.
    pub(super) fn release(&mut self, lease: u64) {
        if self.is_leased_by(lease) {
            self.lease = None;
        }
    }

    /// Returns when the lease ends. `None` if it is free.
    pub(super) fn leased_until(&self) -> Option<Instant> {
        let (_, until) = self.lease?;
        (until > Instant::now()).then_some(until)
    }

    fn is_leased_by(&self, lease: u64) -> bool {
        self.leased_until().is_some() && self.lease.is_some_and(|(current, _)| current == lease)
    }
}
