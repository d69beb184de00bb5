//! Which tokens are worth sharing, and which of the shared ones are worth having.

use std::time::Duration;

use super::super::{Shared, slot::Entry};
use crate::{SharedToken, TokenResponse, time::Now};

/// Ages that differ by less may be of two tokens issued one after the other: they are measured by
/// different clocks, over a network.
const SAME_TIME: Duration = Duration::from_secs(1);

/// So many tokens in a row are taken from the store after refusals if no API accepts any of them. More
/// than one: what the others have may have been revoked as well, and the next one be good.
const MOST_IN_VAIN: u32 = 3;

impl Shared {
    /// What others may use of a token that was just minted; `None` if it is too short-lived to be
    /// of use to anybody.
    pub(in crate::cache) fn worth_sharing(
        &self,
        minted: TokenResponse,
        sent: Now,
    ) -> Option<SharedToken> {
        let now = self.clock.now();
        let lifetime = self.policy.lifetime(minted.lifetime);
        let life = self
            .policy
            .life(sent, now, Some(lifetime), Duration::ZERO, 0.5);
        // by both clocks: the machine may have slept meanwhile
        let age = life.age(now);
        let is_worth_it = !life.is_makeshift && !now.reached(life.refresh_at);
        is_worth_it.then(|| SharedToken::minted(minted, lifetime, age))
    }

    /// Whether a saved token is worth having: not the one that is to be replaced, nor one that
    /// was, nor an older one, nor one that is due if there is a usable one.
    pub(super) fn wants(&self, token: &SharedToken, asked: Now) -> bool {
        let now = self.clock.now();
        let response = token.response();
        let (lifetime, age) = (response.lifetime, response.age);
        let life = self.policy.life(asked, now, lifetime, age, fastrand::f64());
        let is_another = self.slot.current(|current| {
            *current.token.any().header() != response.authorization
                && age <= current.life.age(asked) + SAME_TIME
        });
        // one that is due is better than none: it is renewed while it is in use
        let end = match self.slot.left(now) {
            Some(_) => life.refresh_at,
            None => life.spent_at,
        };
        !life.is_makeshift
            && !now.reached(end)
            && is_another.unwrap_or(true)
            && !self.slot.has_been(&response.authorization)
            && !self.is_refused_again()
    }

    /// Whether this is about a refused token, and the store has been believed often enough: somebody
    /// may put old tokens there by turns.
    fn is_refused_again(&self) -> bool {
        let is_forced = self.flights().last.as_ref().is_some_and(|last| last.forced);
        let in_vain = self.slot.current(Entry::taken_in_vain);
        is_forced && in_vain >= Some(MOST_IN_VAIN)
    }
}
