//! The response of a token source.

use std::{fmt, time::Duration};

use http::HeaderValue;

use crate::{
    Error, ErrorKind, Scopes, SecretString,
    secret::{credentials, credentials_header},
};

/// The response of a [`TokenSource`](crate::TokenSource): the access token response of
/// [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1).
///
/// A source that wraps another source can read and change the response of the inner one.
///
/// ```
/// use std::time::Duration;
/// use auth_core::TokenResponse;
///
/// let response = TokenResponse::bearer("eyJh.eyJz.c2ln")?.with_expires_in(Duration::from_secs(600));
/// assert_eq!(response.expires_in(), Some(Duration::from_secs(600)));
/// assert!(TokenResponse::bearer("not a b64token").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenResponse {
    pub(crate) authorization: HeaderValue,
    lifetime: Option<Duration>,
    scopes: Option<Scopes>,
    /// The part of the lifetime that had passed when the token was loaded from a shared store.
    pub(crate) age: Duration,
}

impl TokenResponse {
    /// Creates the response for a bearer token ([RFC
    /// 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    ///
    /// # Errors
    /// If the token is not a `b64token` (RFC 6750 §2.1), and therefore cannot be sent.
    pub fn bearer(access_token: impl Into<SecretString>) -> Result<Self, Error> {
        Self::new(&access_token.into()).map_err(|what| Error::new(ErrorKind::InvalidResponse, what))
    }

    /// Creates the response for a bearer token. The error does not show the token.
    pub(crate) fn new(token: &SecretString) -> Result<Self, String> {
        let invalid = |what| {
            format!(
                "member \"access_token\": expected a b64token (RFC 6750 section 2.1), got {what}"
            )
        };
        if let Some(what) = not_b64token(token.expose()) {
            return Err(invalid(what));
        }
        let authorization = credentials_header("Bearer", token.expose())
            .ok_or_else(|| invalid("one that no header may hold".into()))?;
        Ok(Self {
            authorization,
            lifetime: None,
            scopes: None,
            age: Duration::ZERO,
        })
    }

    /// Sets the token's lifetime, counted from **before** the request for it was sent. Without it
    /// the cache assumes [`default_lifetime`](crate::RefreshPolicyBuilder::default_lifetime).
    #[must_use]
    pub fn with_expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Returns the token's lifetime, if the server stated one.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        self.lifetime
    }

    /// Returns the token itself.
    #[must_use]
    pub fn access_token(&self) -> &str {
        credentials(&self.authorization)
    }

    /// Returns the granted scopes, if the response states them.
    /// [`ClientCredentials`](crate::ClientCredentials) states the requested scopes where the server
    /// states none (RFC 6749 §5.1).
    #[must_use]
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// Sets the granted scopes, which may differ from the requested ones.
    #[must_use]
    pub fn with_scopes(mut self, granted: Scopes) -> Self {
        self.scopes = Some(granted);
        self
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.lifetime)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Returns why `token` is not `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`,
/// without showing its characters.
fn not_b64token(token: &str) -> Option<String> {
    let body = token.trim_end_matches('=');
    if body.is_empty() {
        return Some("an empty text".into());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    let at = body.chars().position(|c| !allowed(c))?;
    Some(format!(
        "a character that is not permitted at position {at} of {}",
        token.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6750_2_1_b64token_is_checked_before_sending() {
        for good in ["a", "mF_9.B5f-4.1JqM", "a~b+c/d==", &"x".repeat(100_000)] {
            assert!(TokenResponse::bearer(good).is_ok());
        }
        for bad in ["", "=", "a b", "a\nb", "\"a\"", "a=b", "tökn", "a,b"] {
            let error = TokenResponse::bearer(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidResponse);
            assert!(error.to_string().contains("access_token"), "{error}");
        }
    }
}
