//! What a token source comes back with.

use std::{fmt, time::Duration};

use http::HeaderValue;

use crate::{
    Error, ErrorKind, Scopes, SecretString,
    secret::{credentials, credentials_header},
};

/// What a [`TokenSource`](crate::TokenSource) comes back with: the access token response of
/// [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1).
///
/// ```
/// use std::time::Duration;
/// use auth_core::TokenResponse;
///
/// let response = TokenResponse::bearer("eyJh.eyJz.c2ln")?.expires_in(Duration::from_secs(600));
/// assert!(TokenResponse::bearer("not a b64token").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenResponse {
    pub(crate) authorization: HeaderValue,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) scopes: Option<Scopes>,
    /// How much of its lifetime was over when it was asked for: another process had it before.
    pub(crate) age: Duration,
}

impl TokenResponse {
    /// A bearer token ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    ///
    /// # Errors
    /// If it is not a `b64token` (RFC 6750 §2.1), and so could not be sent.
    pub fn bearer(access_token: impl Into<SecretString>) -> Result<Self, Error> {
        Self::new(&access_token.into()).map_err(|what| Error::new(ErrorKind::InvalidResponse, what))
    }

    /// The error says what is wrong, without saying what the token is.
    pub(crate) fn new(token: &SecretString) -> Result<Self, String> {
        let wrong = |what| {
            format!(
                "member \"access_token\": expected a b64token (RFC 6750 section 2.1), got {what}"
            )
        };
        if let Some(what) = not_b64token(token.expose()) {
            return Err(wrong(what));
        }
        let authorization = credentials_header("Bearer", token.expose())
            .ok_or_else(|| wrong("one that no header may hold".into()))?;
        Ok(Self {
            authorization,
            lifetime: None,
            scopes: None,
            age: Duration::ZERO,
        })
    }

    /// How long the token lives, counted from **before** the request for it was sent. Without
    /// this the cache assumes its default, 5 minutes.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The token itself.
    pub(crate) fn access_token(&self) -> &str {
        credentials(&self.authorization)
    }

    /// The scopes that were granted, which may differ from those asked for.
    #[must_use]
    pub fn scopes(mut self, granted: Scopes) -> Self {
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

/// Why `token` is not `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, without
/// saying what is in it.
fn not_b64token(token: &str) -> Option<String> {
    let body = token.trim_end_matches('=');
    if body.is_empty() {
        return Some("an empty text".into());
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    let at = body.chars().position(|c| !allowed(c))?;
    Some(format!(
        "another character at position {at} of {}",
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
