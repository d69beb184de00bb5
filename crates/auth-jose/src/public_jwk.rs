//! Public keys.

use std::{fmt, ops::RangeInclusive};

use auth_core::Error;
use ring::digest::{SHA256, digest};
use untrusted::Reader;

use crate::{
    algorithm::Algorithm,
    base64url,
    der::{self, Malformed},
    fault::invalid,
    jwk::{self, Members},
    key_type::{Curve, KeyType, Unknown},
};

const WHAT: &str = "public key";
const COMPRESSED: &str = "with a compressed point; write it in full: \
                          openssl ec -pubin -in FILE -conv_form uncompressed -out OTHER";
/// The size of an RSA modulus in bits.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// A public key. A [`Signer`](crate::Signer) has one, unless its algorithm is symmetric.
///
/// `Display` prints it as a JWK with its required members alone, in the order of
/// [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638).
///
/// ```
/// use auth_jose::PublicJwk;
///
/// let text = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let key = PublicJwk::from_jwk(text)?;
/// assert_eq!(key.to_string(), text);
/// assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"); // RFC 8037 A.3
/// # Ok::<(), auth_jose::auth_core::Error>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct PublicJwk(Parts);

#[derive(Clone, Eq, PartialEq)]
pub(crate) enum Parts {
    /// `point` is uncompressed: 4, x, y.
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    /// Numbers without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    Ed25519 {
        x: Vec<u8>,
    },
}

impl PublicJwk {
    /// Reads a JWK ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)): the public members of a key of type
    /// `EC` (P-256, P-384), `RSA` (2048 to 8192 bits) or `OKP` (Ed25519).
    ///
    /// # Errors
    /// If the text is no such key.
    pub fn from_jwk(text: &str) -> Result<Self, Error> {
        Self::of_members_text(text).map_err(|fault| invalid(WHAT, format!("expected {fault}")))
    }

    /// Reads a `SubjectPublicKeyInfo` in DER ([RFC 5280
    /// §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).
    ///
    /// # Errors
    /// If the octets are no such key, or one of a type that no [`Algorithm`] is for.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        Self::of_spki(der).map_err(|unknown| {
            let got = unknown.told("SubjectPublicKeyInfo in DER");
            invalid(WHAT, format!("expected one in DER, got {got}"))
        })
    }

    /// Returns the thumbprint by SHA-256 in base64url
    /// ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64url::encode(digest(&SHA256, self.to_string().as_bytes()))
    }

    /// Returns the size of an RSA modulus in bits. `None` for other keys.
    pub(crate) fn rsa_bits(&self) -> Option<usize> {
        match &self.0 {
            Parts::Rsa { n, .. } => Some(bits(n)),
            _ => None,
        }
    }

    /// Returns whether the key verifies signatures by `algorithm`.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        let key_type = match self.0 {
            Parts::Ec { curve, .. } => KeyType::Ec(curve),
            Parts::Rsa { .. } => KeyType::Rsa,
            Parts::Ed25519 { .. } => KeyType::Ed25519,
        };
        key_type.fits(algorithm)
    }

    /// Returns the members, in the order of RFC 7638.
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        match &self.0 {
            Parts::Ec { curve, point } => {
                let (x, y) = point[1..].split_at(curve.length());
                vec![
                    ("crv", curve.name().into()),
                    ("kty", "EC".into()),
                    ("x", base64url::encode(x)),
                    ("y", base64url::encode(y)),
                ]
            }
            Parts::Rsa { n, e } => vec![
                ("e", base64url::encode(e)),
                ("kty", "RSA".into()),
                ("n", base64url::encode(n)),
            ],
            Parts::Ed25519 { x } => vec![
                ("crv", "Ed25519".into()),
                ("kty", "OKP".into()),
                ("x", base64url::encode(x)),
            ],
        }
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Returns the key with these parts, which the caller has checked.
    pub(crate) fn of(parts: Parts) -> Self {
        Self(parts)
    }

    fn of_members_text(text: &str) -> Result<Self, jwk::Fault> {
        let members = Members::parse(text)?;
        members.check_is_for("verify")?;
        Self::of_members(&members)
    }

    /// Reads the public members of a JWK.
    pub(crate) fn of_members(members: &Members) -> Result<Self, jwk::Fault> {
        match members.key_type()? {
            None => Err("a public key, got a symmetric one".into()),
            Some(KeyType::Ec(curve)) => {
                let x = members.octets_of("x", curve.length())?;
                let y = members.octets_of("y", curve.length())?;
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                Ok(Self(Parts::Ec { curve, point }))
            }
            Some(KeyType::Rsa | KeyType::RsaPss) => {
                let (n, e) = (members.octets("n")?, members.octets("e")?);
                Self::rsa(&n, &e).map_err(|bits| {
                    format!("an RSA key of {}, got {bits} bits", expected_rsa_bits())
                })
            }
            Some(KeyType::Ed25519) => {
                let x = members.octets_of("x", 32)?.to_vec();
                Ok(Self(Parts::Ed25519 { x }))
            }
        }
    }

    /// Reads a `SubjectPublicKeyInfo`.
    pub(crate) fn of_spki(der: &[u8]) -> Result<Self, Unknown> {
        let (key_type, key) = der::whole(der, der::SEQUENCE, |reader| {
            // the type may be unknown where the structure is good
            Ok((KeyType::read(reader), der::bit_string(reader)?))
        })?;
        let parts = match key_type? {
            KeyType::Ec(curve) => {
                if key.first() != Some(&4) || key.len() != 1 + 2 * curve.length() {
                    return Err(Unknown::Unsupported(COMPRESSED));
                }
                let point = key.to_vec();
                Parts::Ec { curve, point }
            }
            KeyType::Rsa | KeyType::RsaPss => {
                let (n, e) = der::whole(key, der::SEQUENCE, read_rsa)?;
                let key = Self::rsa(n, e);
                return key
                    .map_err(|_| Unknown::Unsupported("of RSA that is not of 2048 to 8192 bits"));
            }
            KeyType::Ed25519 if key.len() == 32 => Parts::Ed25519 { x: key.to_vec() },
            KeyType::Ed25519 => return Err(Unknown::Malformed),
        };
        Ok(Self(parts))
    }

    /// Returns an RSA key, or the size of its modulus in bits if that is too small or too large.
    fn rsa(n: &[u8], e: &[u8]) -> Result<Self, usize> {
        let (n, e) = (der::without_leading_zeros(n), der::without_leading_zeros(e));
        match bits(n) {
            size if RSA_BITS.contains(&size) => Ok(Self(Parts::Rsa {
                n: n.to_vec(),
                e: e.to_vec(),
            })),
            size => Err(size),
        }
    }
}

/// Reads the modulus and the exponent.
fn read_rsa<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], &'a [u8]), Malformed> {
    Ok((der::unsigned(reader)?, der::unsigned(reader)?))
}

fn expected_rsa_bits() -> String {
    format!("{} to {} bits", RSA_BITS.start(), RSA_BITS.end())
}

/// Returns the number of bits of a number without leading zeros.
pub(crate) fn bits(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |first| first.leading_zeros());
    number.len() * 8 - zeros as usize
}

impl fmt::Display for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // no member holds a character that JSON escapes
        let members = self.members().into_iter();
        let members = members.map(|(name, value)| format!("\"{name}\":\"{value}\""));
        write!(f, "{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicJwk({self})")
    }
}
