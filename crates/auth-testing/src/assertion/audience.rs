//! The audiences of assertions that an authorization server accepts.

use crate::received::Received;

/// The claim `aud` that an [`AssertionVerifier`](super::AssertionVerifier) accepts. Texts are compared
/// octet by octet, and a slash at the end counts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AcceptedAudience {
    /// The issuer of the server, or the URL of its token endpoint
    /// ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
    #[default]
    IssuerOrTokenEndpoint,
    /// The issuer of the server.
    Issuer,
    /// The URL of the token endpoint.
    TokenEndpoint,
    /// This text.
    Text(String),
}

impl AcceptedAudience {
    pub(super) fn texts<'a>(&'a self, received: &Received<'a>) -> Vec<&'a str> {
        match self {
            Self::IssuerOrTokenEndpoint => vec![received.issuer, received.token_endpoint],
            Self::Issuer => vec![received.issuer],
            Self::TokenEndpoint => vec![received.token_endpoint],
            Self::Text(text) => vec![text],
        }
    }
}
