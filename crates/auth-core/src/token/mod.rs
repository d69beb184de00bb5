//! Access tokens: as the token endpoint issues them, and as the cache hands them out.

mod access_token_type;
mod response;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{
    Scopes,
    secret::{copied, credentials},
    time::{Now, nanoseconds},
};
pub use access_token_type::AccessTokenType;
pub use response::TokenResponse;
pub(crate) use response::{MAX_SCOPES, check_token};

/// An access token: the secret, the `Authorization` header, the time of its end and the granted
/// scopes.
///
/// Clones share one allocation, which is wiped when the last clone is dropped.
#[derive(Clone)]
pub struct AccessToken(Arc<TokenData>);

/// Aligned, so that the reference counts of two copies are on different cache lines. It fills one
/// line.
#[repr(align(64))]
struct TokenData {
    authorization: Authorization,
    /// In nanoseconds since 1970. A `u64` holds 584 years.
    expires_at: u64,
    granted: Arc<Granted>,
}

/// The scopes and the details that the authorization server granted.
struct Granted {
    scopes: Scopes,
    authorization_details: Option<Box<str>>,
}

const _: () = assert!(size_of::<TokenData>() == 64 || size_of::<usize>() != 8);

impl AccessToken {
    /// Creates a token. `requested` are the requested scopes, which a response without scopes
    /// grants (RFC 6749 §5.1).
    pub(crate) fn new(
        response: TokenResponse,
        generation: u64,
        expires_at: Now,
        requested: &Scopes,
    ) -> Self {
        let granted = Granted {
            scopes: response.scopes().unwrap_or(requested).clone(),
            authorization_details: response.authorization_details().map(Into::into),
        };
        Self(Arc::new(TokenData {
            authorization: Authorization {
                value: response.authorization,
                generation,
            },
            expires_at: nanoseconds(expires_at.wall),
            granted: Arc::new(granted),
        }))
    }

    /// Copies the token and its header into memory of its own. Clones of the copy write no memory
    /// that clones of the original read.
    pub(crate) fn copy(&self) -> Self {
        let TokenData {
            authorization,
            expires_at,
            granted,
        } = &*self.0;
        Self(Arc::new(TokenData {
            authorization: Authorization {
                value: copied(&authorization.value),
                generation: authorization.generation,
            },
            expires_at: *expires_at,
            granted: Arc::clone(granted),
        }))
    }

    #[inline]
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0.authorization.value
    }

    #[inline]
    pub(crate) fn shared_authorization(&self) -> &Authorization {
        &self.0.authorization
    }

    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.0.authorization.generation
    }

    /// Returns the token itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        credentials(&self.0.authorization.value)
    }

    /// Returns the type of the token. A request with a [`Dpop`](AccessTokenType::Dpop) token also needs a
    /// proof, which the adapters add.
    #[must_use]
    pub fn token_type(&self) -> AccessTokenType {
        AccessTokenType::of_header(self.header())
    }

    /// Returns the `Authorization` header for a request.
    #[must_use]
    #[inline]
    pub fn authorization(&self) -> Authorization {
        self.0.authorization.clone()
    }

    /// Returns the token's end by the wall clock, counted from before it was requested. The cache
    /// stops handing the token out a margin earlier.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_nanos(self.0.expires_at))
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Returns the granted scopes: those of the response or, if it states none, the requested ones.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.0.granted.scopes
    }

    /// Returns the granted authorization details, if the response states them: a JSON array as it
    /// stands in the response ([RFC 9396 §7](https://www.rfc-editor.org/rfc/rfc9396#section-7)). They
    /// may differ from the requested ones; `None` says nothing about those.
    ///
    /// ```
    /// # use auth_core::{AccessToken, Error, TokenCache};
    /// # async fn example(tokens: TokenCache) -> Result<(), Box<dyn std::error::Error>> {
    /// let token = tokens.token().await?;
    /// let granted: serde_json::Value = match token.authorization_details() {
    ///     Some(json) => serde_json::from_str(json)?,
    ///     None => return Err("the server does not say what it granted".into()),
    /// };
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn authorization_details(&self) -> Option<&str> {
        self.0.granted.authorization_details.as_deref()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.expires_at())
            .field("scopes", self.scopes())
            .finish_non_exhaustive()
    }
}

/// The `Authorization` header of one request, marked sensitive, and the generation of its token.
#[derive(Clone)]
pub struct Authorization {
    value: HeaderValue,
    generation: u64,
}

impl Authorization {
    /// Returns the header's value, `Bearer …` or `DPoP …`.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.value
    }

    /// Inserts the header into a request's headers.
    pub fn apply(self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.value);
    }

    /// Returns the generation of the token. A cache numbers its tokens from 1, in the order in
    /// which it obtains them.
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
    fn a_token_gives_its_secret_and_its_header() {
        let end = Now {
            monotonic: Duration::ZERO,
            wall: Duration::from_secs(60),
        };
        let requested = "requested".parse().unwrap();
        let token = AccessToken::new(TokenResponse::bearer("abc").unwrap(), 7, end, &requested);
        assert_eq!(token.secret(), "abc");
        assert_eq!(token.scopes(), &requested);
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
