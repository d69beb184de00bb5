//! Access tokens: as the token endpoint issues them, and as the cache keeps them.

mod response;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::SystemTime,
};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{
    Scopes,
    cache::{Replacement, WeakTokenCache},
    secret::{copied, credentials},
    time::Now,
};
pub use response::TokenResponse;

/// An access token as the cache keeps it: the secret, its header, its end and what it is good for.
///
/// Clones share one allocation, which is wiped when the last is dropped.
#[derive(Clone)]
pub struct AccessToken(Arc<Kept>);

/// On cache lines of its own, so that counting one copy's handles does not slow another's.
#[repr(align(128))]
struct Kept {
    authorization: Authorization,
    expires_at: SystemTime,
    scopes: Arc<Scopes>,
    /// Where it is kept, and wants to hear what an API says of it.
    cache: WeakTokenCache,
    /// Whether that has heard, through this copy, that an API accepted it.
    accepted: AtomicBool,
}

impl AccessToken {
    /// `asked` are the scopes that were asked for: where the response is silent, they were granted
    /// (RFC 6749 §5.1).
    pub(crate) fn new(
        response: TokenResponse,
        generation: u64,
        expires_at: Now,
        asked: &Scopes,
        cache: WeakTokenCache,
    ) -> Self {
        Self(Arc::new(Kept {
            authorization: Authorization {
                value: response.authorization,
                generation,
            },
            expires_at: SystemTime::UNIX_EPOCH
                .checked_add(expires_at.wall)
                .unwrap_or(SystemTime::UNIX_EPOCH),
            scopes: Arc::new(response.scopes.unwrap_or_else(|| asked.clone())),
            cache,
            accepted: AtomicBool::new(false),
        }))
    }

    /// The same token in memory of its own, header and all: clones of the one write to nothing that
    /// clones of the other read.
    pub(crate) fn copy(&self) -> Self {
        let Kept {
            authorization,
            expires_at,
            scopes,
            cache,
            accepted: _,
        } = &*self.0;
        Self(Arc::new(Kept {
            authorization: Authorization {
                value: copied(&authorization.value),
                generation: authorization.generation,
            },
            expires_at: *expires_at,
            scopes: Arc::clone(scopes),
            cache: cache.clone(),
            accepted: AtomicBool::new(false),
        }))
    }

    #[inline]
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0.authorization.value
    }

    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.0.authorization.generation
    }

    /// An API accepted it. All but the first time this is a read of what no other thread writes.
    #[inline]
    pub(crate) fn accepted(&self) {
        if !self.0.accepted.load(Relaxed) {
            self.tell_accepted();
        }
    }

    #[cold]
    fn tell_accepted(&self) {
        self.0.accepted.store(true, Relaxed);
        if let Some(cache) = self.0.cache.upgrade() {
            cache.accepted(self.generation());
        }
    }

    /// A request is sent a second time, with this token.
    pub(crate) fn replayed(&self) {
        if let Some(cache) = self.0.cache.upgrade() {
            cache.replayed();
        }
    }

    /// An API refused it. What may be had instead.
    pub(crate) fn refused(&self) -> Option<Replacement> {
        self.0.cache.upgrade()?.refused(self)
    }

    /// The token itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        credentials(&self.0.authorization.value)
    }

    /// What goes onto a request.
    #[must_use]
    #[inline]
    pub fn authorization(&self) -> Authorization {
        self.0.authorization.clone()
    }

    /// When it ends by the wall clock, counted from before it was asked for. The cache stops
    /// handing it out a margin earlier.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.0.expires_at
    }

    /// The scopes granted: those of the response or, where it is silent, those asked for.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.0.scopes
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.0.expires_at)
            .field("scopes", &self.0.scopes)
            .finish_non_exhaustive()
    }
}

/// What authorizes one request: its `Authorization` header, ready made and marked sensitive, and
/// which token it is about.
#[derive(Clone)]
pub struct Authorization {
    value: HeaderValue,
    generation: u64,
}

impl Authorization {
    /// The header's value, `Bearer …`.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.value
    }

    /// Puts the header onto a request.
    pub fn apply(self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.value);
    }

    /// Which of a cache's tokens this is: they are numbered as they come, from 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_token_is_its_secret_and_its_header() {
        let end = Now {
            monotonic: Duration::ZERO,
            wall: Duration::from_secs(60),
        };
        let asked = "asked".parse().unwrap();
        let token = AccessToken::new(
            TokenResponse::bearer("abc").unwrap(),
            7,
            end,
            &asked,
            WeakTokenCache::default(),
        );
        assert_eq!(token.secret(), "abc");
        assert_eq!(token.scopes(), &asked);
        assert_eq!(
            token.expires_at(),
            SystemTime::UNIX_EPOCH + Duration::from_secs(60)
        );
        let mut headers = HeaderMap::new();
        assert_eq!(token.authorization().generation(), 7);
        token.authorization().apply(&mut headers);
        assert_eq!(headers[AUTHORIZATION], "Bearer abc");
        assert!(headers[AUTHORIZATION].is_sensitive());

        let copy = token.copy();
        assert_eq!(copy.secret(), "abc");
        assert!(copy.authorization().header().is_sensitive());
        assert_ne!(copy.secret().as_ptr(), token.secret().as_ptr());
        assert_eq!(token.clone().secret().as_ptr(), token.secret().as_ptr());
    }
}
