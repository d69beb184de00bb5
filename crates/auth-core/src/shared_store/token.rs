//! A token that processes share.

use std::{fmt, time::Duration};

use crate::{Error, Scopes, SecretString, TokenResponse};

/// A token as a [store](crate::shared_store::SharedTokenStore) saves and loads it.
///
/// ```
/// use std::time::Duration;
/// use auth_core::shared_store::SharedToken;
///
/// let token = SharedToken::bearer("abc")?
///     .with_lifetime(Duration::from_secs(600))
///     .with_age(Duration::from_secs(200));
/// assert_eq!(token.remaining(), Duration::from_secs(400));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedToken {
    response: TokenResponse,
}

impl SharedToken {
    /// Creates a bearer token with a lifetime and an age of 0.
    ///
    /// # Errors
    /// If the token is not 1 to 65,536 visible ASCII characters (RFC 6749 appendix A.12), or begins
    /// with its scheme.
    pub fn bearer(access_token: impl Into<SecretString>) -> Result<Self, Error> {
        let response = TokenResponse::bearer(access_token)?;
        Ok(Self {
            response: response.with_expires_in(Duration::ZERO),
        })
    }

    /// Sets the lifetime that the token had when it was issued.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self {
            response: self.response.with_expires_in(lifetime),
        }
    }

    /// Sets how much of the token's lifetime has passed. A store computes it by its own clock, from
    /// the end that it saved with the token. A longer time for which the value is kept changes nothing.
    #[must_use]
    pub fn with_age(mut self, age: Duration) -> Self {
        self.response.age = age;
        self
    }

    /// Sets the granted scopes, separated by spaces. Default: the requested scopes.
    #[must_use]
    pub fn with_scope(self, granted: &str) -> Self {
        Self {
            response: self.response.with_scopes(Scopes::granted(granted)),
        }
    }

    /// Sets the granted authorization details, a JSON array as a text. Default: not known.
    ///
    /// ```
    /// use auth_core::shared_store::SharedToken;
    ///
    /// let token = SharedToken::bearer("abc")?.with_authorization_details(r#"[{"type":"payment"}]"#);
    /// assert_eq!(token.authorization_details(), Some(r#"[{"type":"payment"}]"#));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_authorization_details(self, granted: &str) -> Self {
        Self {
            response: self.response.with_authorization_details(granted),
        }
    }

    /// Returns the token itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.response.access_token()
    }

    /// Returns the token's lifetime, counted from before it was requested.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.response.expires_in().unwrap_or_default()
    }

    /// Returns how much of the token's lifetime has passed.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.response.age
    }

    /// Returns how much of the token's lifetime remains; zero if it has ended.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.lifetime().saturating_sub(self.age())
    }

    /// Returns the granted scopes, if the server stated them.
    #[must_use]
    pub fn scopes(&self) -> Option<&Scopes> {
        self.response.scopes()
    }

    /// Returns the granted authorization details, if the server stated them.
    #[must_use]
    pub fn authorization_details(&self) -> Option<&str> {
        self.response.authorization_details()
    }

    /// Creates a shared token from one that has just been issued. A refresh token is not shared.
    pub(crate) fn issued(response: TokenResponse, lifetime: Duration, age: Duration) -> Self {
        let response = response.without_refresh_token();
        Self { response }.with_lifetime(lifetime).with_age(age)
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
            .field("lifetime", &self.lifetime())
            .field("remaining", &self.remaining())
            .field("scopes", &self.scopes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_not_shared() {
        let response = TokenResponse::bearer("abc").unwrap();
        let response = response.with_refresh_token("r3fr3sh");
        let shared = SharedToken::issued(response, Duration::from_secs(60), Duration::ZERO);
        assert!(shared.response().refresh_token().is_none());
    }
}
