//! A registered client.

use std::fmt;

#[cfg(feature = "jose")]
use crate::assertion::AssertionVerifier;
#[cfg(feature = "tls")]
use crate::peer_certificate::PeerCertificate;

/// How a registered client authenticates.
#[derive(Clone)]
pub(super) enum RegisteredClient {
    Secret(String),
    /// It does not authenticate (RFC 6749 §2.1).
    Public,
    /// It presents a certificate of the authority with this name (RFC 8705 §2.1).
    #[cfg(feature = "tls")]
    Certificate(String),
    /// It presents the certificate with this thumbprint (RFC 8705 §2.2).
    #[cfg(feature = "tls")]
    SelfSignedCertificate(String),
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
            #[cfg(feature = "tls")]
            Self::Certificate(_) => &["tls_client_auth"],
            #[cfg(feature = "tls")]
            Self::SelfSignedCertificate(_) => &["self_signed_tls_client_auth"],
            #[cfg(feature = "jose")]
            Self::Assertion(verifier) if verifier.verifies_by_secret() => &["client_secret_jwt"],
            #[cfg(feature = "jose")]
            Self::Assertion(_) => &["private_key_jwt"],
        }
    }

    /// Checks the certificate of a client that authenticates by one. `None` for other clients.
    #[cfg(feature = "tls")]
    pub(super) fn check_certificate(
        &self,
        presented: Option<&PeerCertificate>,
    ) -> Option<Result<(), String>> {
        let expected = match self {
            Self::Certificate(_) | Self::SelfSignedCertificate(_) => presented,
            _ => return None,
        };
        let Some(presented) = expected else {
            return Some(Err("expected one, got none".into()));
        };
        let thumbprint = &presented.thumbprint;
        Some(match self {
            Self::Certificate(_) if !presented.is_trusted => Err(format!(
                "expected one that the authority signed, got {thumbprint}"
            )),
            Self::Certificate(name) if !presented.has_name(name) => Err(format!(
                "expected one with the DNS name {name}, got {thumbprint}"
            )),
            Self::SelfSignedCertificate(expected) if **thumbprint != **expected => {
                Err(format!("expected {expected}, got {thumbprint}"))
            }
            _ => Ok(()),
        })
    }

    #[cfg(feature = "jose")]
    pub(super) fn verifier(&self) -> Option<&AssertionVerifier> {
        match self {
            Self::Assertion(verifier) => Some(verifier),
            _ => None,
        }
    }
}

/// Does not show the secret.
impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(..)",
            Self::Public => "Public",
            #[cfg(feature = "tls")]
            Self::Certificate(_) => "Certificate(..)",
            #[cfg(feature = "tls")]
            Self::SelfSignedCertificate(_) => "SelfSignedCertificate(..)",
            #[cfg(feature = "jose")]
            Self::Assertion(_) => "Assertion(..)",
        })
    }
}
