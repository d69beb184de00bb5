//! The type of an access token.

/// The type of an access token ([RFC 6749
/// §7.1](https://www.rfc-editor.org/rfc/rfc6749#section-7.1)): how a request presents it.
///
/// ```
/// use auth_core::{TokenResponse, AccessTokenType};
///
/// assert_eq!(TokenResponse::bearer("abc")?.token_type(), AccessTokenType::Bearer);
/// assert_eq!(AccessTokenType::Dpop.scheme(), "DPoP");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AccessTokenType {
    /// Any holder of the token can use it ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
    Bearer,
    /// The token is bound to a key, and each request proves that the client has the key ([RFC
    /// 9449](https://www.rfc-editor.org/rfc/rfc9449)).
    Dpop,
}

impl AccessTokenType {
    /// Returns the scheme of the `Authorization` header: `Bearer` or `DPoP`.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// Returns the type of the token in an `Authorization` header that this crate made.
    pub(super) fn of_header(header: &http::HeaderValue) -> Self {
        match header.as_bytes().starts_with(b"DPoP ") {
            true => Self::Dpop,
            false => Self::Bearer,
        }
    }
}
