//! The response of a token source.

use std::{fmt, time::Duration};

use http::HeaderValue;

use crate::{
    Error, ErrorKind, Scopes, SecretString,
    secret::{credentials, credentials_header},
};

/// The maximum size of a token, in bytes.
const MAX_TOKEN: usize = 64 * 1024;
/// The maximum size of the granted scopes as one text, and of the granted authorization details, in
/// bytes.
pub(crate) const MAX_SCOPES: usize = 16 * 1024;

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
/// assert!(TokenResponse::bearer("not a token").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenResponse {
    pub(crate) authorization: HeaderValue,
    lifetime: Option<Duration>,
    scopes: Option<Scopes>,
    authorization_details: Option<Box<str>>,
    refresh_token: Option<SecretString>,
    issued_token_type: Option<Box<str>>,
    /// The part of the lifetime that had passed when the token was loaded from a shared store.
    pub(crate) age: Duration,
}

impl TokenResponse {
    /// Creates the response for a bearer token ([RFC
    /// 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    ///
    /// A token is 1 to 65,536 visible ASCII characters: those of [RFC 6749 appendix
    /// A.12](https://www.rfc-editor.org/rfc/rfc6749#appendix-A.12), without the space. RFC 6750
    /// permits fewer, but several servers issue tokens with `!`, `|`, `$`, `:`, `^` or `#`.
    ///
    /// # Errors
    /// An [`ErrorKind::InvalidResponse`] error if the token has another character or another length,
    /// or begins with the scheme `Bearer` itself. The error does not show the token.
    pub fn bearer(access_token: impl Into<SecretString>) -> Result<Self, Error> {
        Self::new(access_token.into().expose())
            .map_err(|what| Error::new(ErrorKind::InvalidResponse, format!("access_token: {what}")))
    }

    /// Creates the response for a bearer token. The error does not show the token.
    pub(crate) fn new(token: &str) -> Result<Self, String> {
        check_token(token)?;
        let authorization = credentials_header("Bearer", token)
            .ok_or_else(|| invalid("some that no header may hold"))?;
        Ok(Self {
            authorization,
            lifetime: None,
            scopes: None,
            authorization_details: None,
            refresh_token: None,
            issued_token_type: None,
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

    /// Sets the granted scopes, which may differ from the requested ones. A cache takes a response
    /// whose scopes, as one text, exceed 16 KiB for an [`ErrorKind::InvalidResponse`] error.
    #[must_use]
    pub fn with_scopes(mut self, granted: Scopes) -> Self {
        self.scopes = Some(granted);
        self
    }

    /// Returns the granted authorization details, if the response states them: a JSON array as it
    /// stands in the response ([RFC 9396 §7](https://www.rfc-editor.org/rfc/rfc9396#section-7)). They
    /// may differ from the requested ones.
    #[must_use]
    pub fn authorization_details(&self) -> Option<&str> {
        self.authorization_details.as_deref()
    }

    /// Sets the granted authorization details, a JSON array. A cache takes a response in which they
    /// exceed 16 KiB for an [`ErrorKind::InvalidResponse`] error.
    ///
    /// ```
    /// use auth_core::TokenResponse;
    ///
    /// let response = TokenResponse::bearer("abc")?
    ///     .with_authorization_details(r#"[{"type":"payment_initiation"}]"#);
    /// assert_eq!(response.authorization_details(), Some(r#"[{"type":"payment_initiation"}]"#));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_authorization_details(mut self, granted: impl Into<Box<str>>) -> Self {
        self.authorization_details = Some(granted.into());
        self
    }

    /// Returns the refresh token, if the response holds one
    /// ([RFC 6749 §1.5](https://www.rfc-editor.org/rfc/rfc6749#section-1.5)): for a source that
    /// obtains tokens for a user. A cache drops it, and
    /// [`ClientCredentials`](crate::ClientCredentials) ignores it (RFC 6749 §4.4.3).
    ///
    /// ```
    /// # use auth_core::{Error, Form, SecretString, TokenEndpoint, TokenRequest};
    /// /// Exchanges the code of a user's authorization. The refresh token is to be kept.
    /// async fn login(endpoint: &TokenEndpoint, code: String) -> Result<Option<SecretString>, Error> {
    ///     let form = Form::new("authorization_code").field("code", code);
    ///     let response = endpoint.request(&form, &TokenRequest::default()).await?;
    ///     Ok(response.refresh_token().cloned())
    /// }
    /// ```
    #[must_use]
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref()
    }

    /// Sets the refresh token.
    ///
    /// ```
    /// use auth_core::TokenResponse;
    ///
    /// let response = TokenResponse::bearer("abc")?.with_refresh_token("r3fr3sh");
    /// assert_eq!(response.refresh_token().unwrap().expose(), "r3fr3sh");
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: impl Into<SecretString>) -> Self {
        self.refresh_token = Some(refresh_token.into());
        self
    }

    pub(crate) fn without_refresh_token(mut self) -> Self {
        self.refresh_token = None;
        self
    }

    /// Returns `issued_token_type`, the type of a token that was
    /// [exchanged](crate::TokenExchange), if the response states it
    /// ([RFC 8693 §2.2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1)).
    ///
    /// ```
    /// use auth_core::{TokenResponse, TokenType};
    ///
    /// let response = TokenResponse::bearer("abc")?.with_issued_token_type(TokenType::JWT.as_str());
    /// assert_eq!(response.issued_token_type(), Some(TokenType::JWT.as_str()));
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn issued_token_type(&self) -> Option<&str> {
        self.issued_token_type.as_deref()
    }

    /// Sets `issued_token_type`.
    #[must_use]
    pub fn with_issued_token_type(mut self, issued: impl Into<Box<str>>) -> Self {
        self.issued_token_type = Some(issued.into());
        self
    }

    /// Returns the response, or an error if its scopes or authorization details are too large to be cached and stored. The
    /// token has been checked before.
    pub(crate) fn within_bounds(self) -> Result<Self, Error> {
        let what = match self.lengths() {
            [scopes, _] if scopes > MAX_SCOPES => {
                format!("scope: expected scopes of at most 16 KiB, got {scopes} bytes")
            }
            [_, details] if details > MAX_SCOPES => format!(
                "authorization_details: expected details of at most 16 KiB, got {details} bytes"
            ),
            _ => return Ok(self),
        };
        Err(Error::new(ErrorKind::InvalidResponse, what))
    }

    pub(crate) fn is_within_bounds(&self) -> bool {
        self.lengths().iter().all(|length| *length <= MAX_SCOPES)
    }

    /// Returns the lengths of the scopes as one text, and of the authorization details.
    fn lengths(&self) -> [usize; 2] {
        let scopes = self.scopes.as_ref().map_or(0, Scopes::text_length);
        let details = self.authorization_details.as_ref();
        [scopes, details.map_or(0, |details| details.len())]
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

/// Checks the length and the characters of a token. The error does not show the token.
pub(crate) fn check_token(token: &str) -> Result<(), String> {
    if token.len() > MAX_TOKEN {
        return Err(format!(
            "expected a token of at most 64 KiB, got one of {} bytes",
            token.len()
        ));
    }
    match not_a_token(token) {
        Some(what) => Err(invalid(&what)),
        None => Ok(()),
    }
}

fn invalid(what: &str) -> String {
    format!("expected visible ASCII characters (RFC 6749 appendix A.12), got {what}")
}

/// Returns why `token` is not a token, without showing its characters.
fn not_a_token(token: &str) -> Option<String> {
    if token.is_empty() {
        return Some("an empty text".into());
    }
    let scheme = token.get(..7).unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer ") {
        return Some("a value that already holds the scheme, \"Bearer\"".into());
    }
    let at = token.chars().position(|c| !c.is_ascii_graphic())?;
    let what = match token.chars().nth(at)? {
        ' ' => "a space",
        c if c.is_control() => "a control character",
        _ => "a non-ASCII character",
    };
    let count = token.chars().count();
    Some(format!("{what} as character {} of {count}", at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_a_12_the_characters_are_checked_before_sending() {
        for good in [
            "a",
            "mF_9.B5f-4.1JqM",
            "a~b+c/d==",
            "a!b|c",
            "\"a\"",
            &"x".repeat(MAX_TOKEN),
        ] {
            assert!(TokenResponse::bearer(good).is_ok());
        }
        for bad in [
            "",
            " ",
            "a b",
            "a\nb",
            "tökn",
            "bearer x",
            &"x".repeat(MAX_TOKEN + 1),
        ] {
            let error = TokenResponse::bearer(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidResponse);
            assert!(error.to_string().contains("access_token"), "{error}");
        }
    }
}
