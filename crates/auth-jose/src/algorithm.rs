//! The algorithms of signatures.

use std::{fmt, str::FromStr};

use auth_core::Error;

use crate::fault::shown;

/// The algorithm of a signature: `alg` of [RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)
/// and [RFC 8037 §3.1](https://www.rfc-editor.org/rfc/rfc8037#section-3.1).
///
/// `Display` and `FromStr` use the registered names, in their registered case.
///
/// ```
/// use auth_jose::Algorithm;
///
/// let algorithm: Algorithm = "ES256".parse()?;
/// assert_eq!(algorithm, Algorithm::Es256);
/// assert_eq!(Algorithm::EdDsa.to_string(), "EdDSA");
/// assert!("none".parse::<Algorithm>().is_err());
/// # Ok::<(), auth_jose::auth_core::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256, and a salt of 32 octets.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// EdDSA with Ed25519.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    const ALL: [Self; 8] = [
        Self::Es256,
        Self::Es384,
        Self::Ps256,
        Self::Rs256,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// Returns the registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Returns whether the key of a signature also verifies it (HMAC).
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// Returns the length of a signature in octets. `None` for RSA, whose keys decide it.
    pub(crate) fn signature_length(self) -> Option<usize> {
        match self {
            Self::Es256 | Self::EdDsa | Self::Hs512 => Some(64),
            Self::Es384 => Some(96),
            Self::Ps256 | Self::Rs256 => None,
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// # Errors
    /// If the name is none of the known ones. The error lists these.
    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::configuration(format!(
                "algorithm: expected one of {names}, got {}",
                shown(name)
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_read_and_written() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse::<Algorithm>().unwrap(), algorithm);
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        for (name, got) in [
            ("none", "\"none\""),
            ("es256", "\"es256\""),
            ("RS512", "\"RS512\""),
            ("", "an empty text"),
        ] {
            let error = name.parse::<Algorithm>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "algorithm: expected one of ES256, ES384, PS256, RS256, EdDSA, HS256, HS384, \
                     HS512, got {got}"
                )
            );
        }
    }
}
