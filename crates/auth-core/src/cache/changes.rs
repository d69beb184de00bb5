//! Publishes each new token, for connections that outlive a token.

use std::fmt;

use tokio::sync::watch;

use crate::AccessToken;

/// Receives each token that a [`TokenCache`](crate::TokenCache) obtains, from
/// [`TokenCache::changes`](crate::TokenCache::changes).
///
/// Clones receive independently of each other. A receiver does not keep the cache alive.
#[derive(Clone)]
pub struct TokenChanges {
    receiver: watch::Receiver<Option<AccessToken>>,
}

impl TokenChanges {
    /// Returns the token that was current when the last change was published. `None` if the cache
    /// has not obtained a token yet. The token may have expired since.
    #[must_use]
    pub fn current(&self) -> Option<AccessToken> {
        self.receiver.borrow().clone()
    }

    /// Waits for the next token. Returns `None` once the last handle of the cache has been dropped.
    ///
    /// A receiver that falls behind skips to the latest token. Cancel safe: a dropped call loses no
    /// change.
    pub async fn changed(&mut self) -> Option<AccessToken> {
        loop {
            self.receiver.changed().await.ok()?;
            let token = self.receiver.borrow_and_update().clone();
            if token.is_some() {
                return token;
            }
        }
    }
}

impl fmt::Debug for TokenChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenChanges")
            .field("current", &self.current())
            .finish()
    }
}

/// The sending side. A cache has one from its first subscription on.
#[derive(Clone, Debug)]
pub(super) struct Publisher(watch::Sender<Option<AccessToken>>);

impl Publisher {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Publishes `token`, unless a later one has been published: two fetches may finish at once.
    pub(super) fn publish(&self, token: &AccessToken) {
        self.0.send_if_modified(|current| {
            let is_later = current
                .as_ref()
                .is_none_or(|current| current.generation() < token.generation());
            if is_later {
                *current = Some(token.clone());
            }
            is_later
        });
    }

    /// Returns a receiver for which the published token is not a change.
    pub(super) fn subscribe(&self) -> TokenChanges {
        TokenChanges {
            receiver: self.0.subscribe(),
        }
    }
}
