//! A registered client.

use std::fmt;

#[cfg(feature = "jose")]
use crate::assertion::AssertionVerifier;

/// How a registered client authenticates.
#[derive(Clone)]
pub(super) enum RegisteredClient {
    Secret(String),
    /// It does not authenticate (RFC 6749 §2.1).
    Public,
    #[cfg(feature = "jose")]
    Assertion(Box<AssertionVerifier>),
}

impl RegisteredClient {
    pub(super) fn has_secret(&self, secret: &str) -> bool {
        matches!(self, Self::Secret(known) if known == secret)
    }

    /// Returns the names of the methods that the client adds to those of the server (RFC 7591 §2).
    pub(super) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Secret(_) => &[],
            Self::Public => &["none"],
            #[cfg(feature = "jose")]
            Self::Assertion(verifier) if verifier.verifies_by_secret() => &["client_secret_jwt"],
            #[cfg(feature = "jose")]
            Self::Assertion(_) => &["private_key_jwt"],
        }
    }

    #[cfg(feature = "jose")]
    pub(super) fn verifier(&self) -> Option<&AssertionVerifier> {
        match self {
            Self::Assertion(verifier) => Some(verifier),
            Self::Public | Self::Secret(_) => None,
        }
    }
}

/// Does not show the secret.
impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(..)",
            Self::Public => "Public",
            #[cfg(feature = "jose")]
            Self::Assertion(_) => "Assertion(..)",
        })
    }
}
