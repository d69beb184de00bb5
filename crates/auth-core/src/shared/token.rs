use std::{fmt, time::Duration};

use crate::{Error, Scopes, SecretString, TokenResponse};

/// A token on its way into a [store](super::SharedTokenStore) or out of it.
///
/// ```
/// use std::time::Duration;
/// use auth_core::SharedToken;
///
/// let token = SharedToken::bearer("abc")?
///     .lifetime(Duration::from_secs(600))
///     .age(Duration::from_secs(200));
/// assert_eq!(token.left(), Duration::from_secs(400));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedToken {
    response: TokenResponse,
}

impl SharedToken {
    /// A bearer token that a store has kept; its lifetime and its age are 0 until told.
    ///
    /// # Errors
    /// If it is not a `b64token` (RFC 6750 §2.1).
    pub fn bearer(access_token: impl Into<SecretString>) -> Result<Self, Error> {
        let response = TokenResponse::bearer(access_token)?;
        Ok(Self {
            response: response.expires_in(Duration::ZERO),
        })
    }

    /// Its lifetime when it was issued.
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self {
            response: self.response.expires_in(lifetime),
        }
    }

    /// How much of its lifetime is over. A store takes it from its own clock: what is left of the
    /// time for which the value is kept.
    #[must_use]
    pub fn age(mut self, age: Duration) -> Self {
        self.response.age = age;
        self
    }

    /// The scopes that were granted, separated by spaces. Until told: those that were asked for.
    #[must_use]
    pub fn scope(self, granted: &str) -> Self {
        Self {
            response: self.response.scopes(Scopes::granted(granted)),
        }
    }

    /// The token itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.response.access_token()
    }

    /// How long it lives, from when it was asked for.
    #[must_use]
    pub fn full_lifetime(&self) -> Duration {
        self.response.lifetime.unwrap_or_default()
    }

    /// How much of its lifetime is left; zero if it is over.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.full_lifetime().saturating_sub(self.response.age)
    }

    /// The scopes that were granted, if the server told.
    #[must_use]
    pub fn granted(&self) -> Option<&Scopes> {
        self.response.scopes.as_ref()
    }

    /// A token that has just been minted.
    pub(crate) fn minted(response: TokenResponse, lifetime: Duration, age: Duration) -> Self {
        Self {
            response: response.expires_in(lifetime),
        }
        .age(age)
    }

    pub(crate) fn response(&self) -> &TokenResponse {
        &self.response
    }

    pub(crate) fn into_response(self) -> TokenResponse {
        self.response
    }
}

impl fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedToken")
            .field("lifetime", &self.full_lifetime())
            .field("left", &self.left())
            .field("granted", &self.granted())
            .finish_non_exhaustive()
    }
}
