//! Which tokens a cache saves for other processes, and which saved tokens it uses.

use std::time::Duration;

use super::super::{inner::Inner, slot::CachedToken};
use crate::{TokenResponse, shared_store::SharedToken, time::Now};

/// Ages that differ by less do not tell which token was issued first: they are measured by
/// different clocks, over a network.
const SAME_AGE: Duration = Duration::from_secs(1);

/// The maximum number of tokens in a row that are taken from the store after rejections, if no API
/// accepts any of them. It is more than one, because a saved token may have been revoked as well,
/// and the next one may be valid.
const MAX_UNACCEPTED: u32 = 3;

impl Inner {
    /// Returns the shared token to save for a token that was just issued. `None` if the token is
    /// stale or expired already.
    pub(in crate::cache) fn worth_sharing(
        &self,
        issued: TokenResponse,
        requested_at: Now,
    ) -> Option<SharedToken> {
        let now = self.clock.now();
        let policy = &self.settings().policy;
        let lifetime = policy.lifetime(issued.expires_in());
        let life = policy.life(requested_at, now, Some(lifetime), issued.age, 0.5);
        // by both clocks: the machine may have been suspended meanwhile
        let age = life.age(now);
        let is_fresh = !life.received_expired && !now.reached(life.stale_at);
        is_fresh.then(|| SharedToken::issued(issued, lifetime, age))
    }

    /// Returns whether this cache can use a saved token: neither the token to be replaced, nor one
    /// that was replaced, nor an older one, nor a stale one while there is a usable one. `draw` is
    /// the token's jitter.
    pub(super) fn can_use(&self, token: &SharedToken, loaded_at: Now, draw: f64) -> bool {
        let now = self.clock.now();
        let response = token.response();
        let (lifetime, age) = (response.expires_in(), response.age);
        let life = self
            .settings()
            .policy
            .life(loaded_at, now, lifetime, age, draw);
        let is_another = self.slot.current(|current| {
            *current.token.original().header() != response.authorization
                && age <= current.deadlines.age(loaded_at).saturating_add(SAME_AGE)
        });
        // without a usable token a stale one is used, and refreshed in the background
        let end = match self.slot.usable_for(now) {
            Some(_) => life.stale_at,
            None => life.usable_until,
        };
        !life.received_expired
            && !now.reached(end)
            && is_another.unwrap_or(true)
            && !self.slot.was_replaced(&response.authorization)
            && !self.has_reached_max_unaccepted()
    }

    /// Returns whether this fetch replaces a rejected token, and the maximum number of unaccepted
    /// replacements came from the store: another process may keep saving old tokens there.
    fn has_reached_max_unaccepted(&self) -> bool {
        let unaccepted = self
            .slot
            .current(CachedToken::unaccepted_store_replacements);
        self.state().replaces_rejected().is_some() && unaccepted >= Some(MAX_UNACCEPTED)
    }
}
