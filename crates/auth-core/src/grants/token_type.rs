//! The types of tokens that are exchanged (RFC 8693 §3).

use std::{borrow::Cow, fmt};

use crate::{
    Error,
    uri_syntax::{check_characters, split_scheme},
};

/// The type of a token that is exchanged: a URI
/// ([RFC 8693 §3](https://www.rfc-editor.org/rfc/rfc8693#section-3)).
///
/// ```
/// use auth_core::TokenType;
///
/// let aws = TokenType::new("urn:ietf:params:aws:token-type:aws4_request")?;
/// assert_ne!(aws, TokenType::JWT);
/// assert!(TokenType::new("jwt").is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct TokenType(Cow<'static, str>);

impl TokenType {
    /// An access token of the authorization server that exchanges it. It may have any format.
    pub const ACCESS_TOKEN: Self = Self::known("urn:ietf:params:oauth:token-type:access_token");
    /// A refresh token of the authorization server that exchanges it.
    pub const REFRESH_TOKEN: Self = Self::known("urn:ietf:params:oauth:token-type:refresh_token");
    /// An ID token ([OpenID Connect Core
    /// §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).
    pub const ID_TOKEN: Self = Self::known("urn:ietf:params:oauth:token-type:id_token");
    /// A JWT ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) of any issuer.
    pub const JWT: Self = Self::known("urn:ietf:params:oauth:token-type:jwt");
    /// A SAML 1.1 assertion in base64url.
    pub const SAML1: Self = Self::known("urn:ietf:params:oauth:token-type:saml1");
    /// A SAML 2.0 assertion in base64url.
    pub const SAML2: Self = Self::known("urn:ietf:params:oauth:token-type:saml2");

    const fn known(uri: &'static str) -> Self {
        Self(Cow::Borrowed(uri))
    }

    /// Creates a type that has no constant here.
    ///
    /// # Errors
    /// If the text is no absolute URI.
    pub fn new(uri: impl Into<String>) -> Result<Self, Error> {
        let uri = uri.into();
        let invalid = |what: &dyn fmt::Display| {
            Error::configuration(format!(
                "token type {}: expected an absolute URI such as {} (RFC 8693 section 3), got {what}",
                shown(&uri),
                Self::JWT
            ))
        };
        match split_scheme(&uri) {
            None => return Err(invalid(&"one without a scheme")),
            Some((_, "")) => return Err(invalid(&"only a scheme")),
            Some((_, rest)) => check_characters(rest).map_err(|fault| invalid(&fault))?,
        }
        Ok(Self(uri.into()))
    }

    /// Returns the URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn text(&self) -> Cow<'static, str> {
        self.0.clone()
    }
}

/// The maximum length of a text that an error shows whole, in characters. A longer one may be a token.
const MAX_SHOWN: usize = 12;

/// Returns the beginning of a text that is no token type, in quotes.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(MAX_SHOWN).collect();
    let rest = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{rest}")
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_type_is_an_absolute_uri() {
        for (uri, told) in [
            ("", "without a scheme"),
            ("jwt", "without a scheme"),
            ("urn:", "only a scheme"),
            ("urn:a b", "' '"),
            ("urn:a\n", "percent-encoded"),
        ] {
            let error = TokenType::new(uri).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzM2NyM3QifQ.s3cr3t";
        let error = TokenType::new(jwt).unwrap_err().to_string();
        assert!(
            error.starts_with("token type \"eyJhbGciOiJF\"…: "),
            "{error}"
        );
        assert!(!error.contains("s3cr3t"), "{error}");
        let jwt = TokenType::new("urn:ietf:params:oauth:token-type:jwt").unwrap();
        assert_eq!(jwt, TokenType::JWT);
    }
}
