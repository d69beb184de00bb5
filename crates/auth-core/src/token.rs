//! Access tokens: as the token endpoint issues them, and as the cache keeps them.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{Error, ErrorKind, Scopes, SecretString, clock::Now, secret::credentials_header};

const BEARER: &str = "Bearer";

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
        let authorization = credentials_header(BEARER, token.expose())
            .ok_or_else(|| wrong("one that no header may hold".into()))?;
        Ok(Self {
            authorization,
            lifetime: None,
            scopes: None,
        })
    }

    /// How long the token lives, counted from **before** the request for it was sent. Without
    /// this the cache assumes its default, 5 minutes.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
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

/// An access token as the cache keeps it: the secret, its header, its end and what it is good for.
///
/// Clones share one allocation, which is wiped when the last is dropped.
#[derive(Clone)]
pub struct AccessToken(Arc<Kept>);

struct Kept {
    authorization: Authorization,
    expires_at: SystemTime,
    scopes: Scopes,
}

impl AccessToken {
    /// `asked` are the scopes that were asked for: where the response is silent, they were granted
    /// (RFC 6749 §5.1).
    pub(crate) fn new(
        response: TokenResponse,
        generation: u64,
        expires_at: Now,
        asked: &Scopes,
    ) -> Self {
        Self(Arc::new(Kept {
            authorization: Authorization {
                value: response.authorization,
                generation,
            },
            expires_at: SystemTime::UNIX_EPOCH
                .checked_add(expires_at.wall)
                .unwrap_or(SystemTime::UNIX_EPOCH),
            scopes: response.scopes.unwrap_or_else(|| asked.clone()),
        }))
    }

    /// The token itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        let value = self.0.authorization.value.to_str().unwrap_or_default();
        value.get(BEARER.len() + 1..).unwrap_or_default()
    }

    /// What goes onto a request.
    #[must_use]
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

    #[test]
    fn a_token_is_its_secret_and_its_header() {
        let end = Now {
            monotonic: Duration::ZERO,
            wall: Duration::from_secs(60),
        };
        let asked = "asked".parse().unwrap();
        let token = AccessToken::new(TokenResponse::bearer("abc").unwrap(), 7, end, &asked);
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
    }
}
