//! The place of one key: a token and a lease.

use std::time::Duration;

use auth_core::SharedToken;
use tokio::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Shelf {
    token: Option<Saved>,
    lease: Option<(u64, Instant)>,
}

#[derive(Debug)]
struct Saved {
    token: SharedToken,
    age: Duration,
    at: Instant,
}

impl Saved {
    fn age(&self, now: Instant) -> Duration {
        self.age + now.duration_since(self.at)
    }
}

impl Shelf {
    /// The token as old as it is by now, if it has not ended.
    pub(super) fn token(&self, now: Instant) -> Option<SharedToken> {
        let saved = self.token.as_ref()?;
        let token = saved.token.clone().age(saved.age(now));
        (!token.left().is_zero()).then_some(token)
    }

    /// Keeps the token, unless there is one that was issued later.
    pub(super) fn put(&mut self, token: &SharedToken, now: Instant) {
        let age = token.full_lifetime() - token.left();
        let kept = self.token.as_ref();
        let is_older = kept.is_some_and(|kept| kept.age(now) < age && self.token(now).is_some());
        if !is_older {
            let token = token.clone();
            self.token = Some(Saved {
                token,
                age,
                at: now,
            });
        }
    }

    /// Takes the lease, if nobody has it.
    pub(super) fn take(&mut self, owner: u64, until: Instant) -> bool {
        let is_free = self.leased_until().is_none();
        if is_free {
            self.lease = Some((owner, until));
        }
        is_free
    }

    /// Renews the lease if it is this owner's.
    pub(super) fn renew(&mut self, owner: u64, until: Instant) {
        if self.is_leased_to(owner) {
            self.lease = Some((owner, until));
        }
    }

    /// Ends the lease if it is this owner's.
    pub(super) fn release(&mut self, owner: u64) {
        if self.is_leased_to(owner) {
            self.lease = None;
        }
    }

    /// When the lease ends, if somebody has it.
    pub(super) fn leased_until(&self) -> Option<Instant> {
        let (_, until) = self.lease?;
        (until > Instant::now()).then_some(until)
    }

    fn is_leased_to(&self, owner: u64) -> bool {
        self.leased_until().is_some() && self.lease.is_some_and(|(holder, _)| holder == owner)
    }
}
