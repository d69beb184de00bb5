//! The need of a cache for a token.

use super::super::{inner::Inner, slot::CachedToken};
use crate::shared_store::Need;

impl Inner {
    /// Returns the need on account of which this cache calls the store. The next one begins when the
    /// cache has got a token.
    ///
    /// A token from the store that replaces a rejected one begins none before an API accepts it: a client
    /// of the store may restore rejected tokens.
    pub(super) fn need(&self) -> Need {
        let received = self.state().tokens_received;
        let unaccepted = self
            .slot
            .current(CachedToken::unaccepted_store_replacements);
        let number = received.wrapping_sub(unaccepted.unwrap_or_default().into());
        Need::new(self.id.0, number)
    }
}
