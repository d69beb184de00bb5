//! The types of keys, and the object identifiers that name them (RFC 5280, 5480, 8017, 8410).

use untrusted::Reader;

use crate::{
    algorithm::Algorithm,
    der::{self, Malformed},
};

/// The type of an asymmetric key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum KeyType {
    Ec(Curve),
    Rsa,
    /// An RSA key for RSASSA-PSS alone.
    RsaPss,
    Ed25519,
}

/// A curve of ECDSA.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Curve {
    P256,
    P384,
}

/// The reason why there is no type.
#[derive(Debug, PartialEq)]
pub(crate) enum Unknown {
    Malformed,
    /// The type is known, and no algorithm is for it. Completes "got a key …".
    Unsupported(&'static str),
}

impl From<Malformed> for Unknown {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

const EC_PUBLIC_KEY: &[u8] = b"\x2A\x86\x48\xCE\x3D\x02\x01";
const P256: &[u8] = b"\x2A\x86\x48\xCE\x3D\x03\x01\x07";
const P384: &[u8] = b"\x2B\x81\x04\x00\x22";
const RSA: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01";
const RSA_PSS: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A";
const ED25519: &[u8] = b"\x2B\x65\x70";

/// The parameters of an RSASSA-PSS key that is restricted to PS256: SHA-256, MGF1 with SHA-256, a salt of
/// at least 32 octets.
const PS256_PARAMETERS: &[u8] = b"\xA0\x0F\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\
    \xA1\x1C\x30\x1A\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x01\x08\x30\x0D\x06\x09\x60\x86\x48\x01\x65\x03\
    \x04\x02\x01\x05\x00\xA2\x03\x02\x01\x20";

/// The types that no algorithm is for.
const UNSUPPORTED: [(&[u8], &str); 6] = [
    (b"\x2B\x65\x6E", "for X25519, which does not sign"),
    (b"\x2B\x65\x6F", "for X448, which does not sign"),
    (b"\x2B\x65\x71", "for Ed448"),
    (b"\x2A\x86\x48\xCE\x38\x04\x01", "for DSA"),
    (
        b"\x2A\x86\x48\x86\xF7\x0D\x01\x03\x01",
        "for Diffie-Hellman, which does not sign",
    ),
    (
        b"\x2B\x81\x04\x01\x0C",
        "for a key agreement, which does not sign",
    ),
];

impl KeyType {
    /// Reads an `AlgorithmIdentifier` (RFC 5280 §4.1.1.2).
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Unknown> {
        let (oid, parameters) = der::nested(reader, der::SEQUENCE, |reader| {
            let oid = der::value(reader, der::OID)?;
            let parameters = (!reader.at_end()).then(|| der::any(reader)).transpose()?;
            Ok((oid, parameters))
        })?;
        match oid {
            EC_PUBLIC_KEY => match parameters {
                Some((der::OID, curve)) => Curve::named(curve).map(Self::Ec),
                _ => Err(Unknown::Unsupported("with an EC curve without a name")),
            },
            RSA => Ok(Self::Rsa),
            RSA_PSS => match parameters {
                None | Some((der::SEQUENCE, PS256_PARAMETERS)) => Ok(Self::RsaPss),
                Some(_) => Err(Unknown::Unsupported(
                    "for RSASSA-PSS with parameters other than those of PS256",
                )),
            },
            ED25519 => Ok(Self::Ed25519),
            other => {
                let unsupported = UNSUPPORTED.iter().find(|(oid, _)| *oid == other);
                let what = unsupported.map_or("of an unknown type", |(_, what)| what);
                Err(Unknown::Unsupported(what))
            }
        }
    }

    /// Returns whether keys of the type sign by `algorithm`.
    pub(crate) fn fits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Ec(curve) => curve.algorithm() == algorithm,
            Self::Rsa => matches!(algorithm, Algorithm::Ps256 | Algorithm::Rs256),
            Self::RsaPss => algorithm == Algorithm::Ps256,
            Self::Ed25519 => algorithm == Algorithm::EdDsa,
        }
    }

    /// Returns the algorithm of a key of the type for which no other one was chosen.
    pub(crate) fn default_algorithm(self) -> Algorithm {
        match self {
            Self::Ec(curve) => curve.algorithm(),
            Self::Rsa => Algorithm::Rs256,
            Self::RsaPss => Algorithm::Ps256,
            Self::Ed25519 => Algorithm::EdDsa,
        }
    }

    /// Returns the name of the type, for errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ec(Curve::P256) => "P-256",
            Self::Ec(Curve::P384) => "P-384",
            Self::Rsa => "RSA",
            Self::RsaPss => "RSASSA-PSS",
            Self::Ed25519 => "Ed25519",
        }
    }
}

impl Curve {
    /// Returns the curve that the object identifier names.
    pub(crate) fn named(oid: &[u8]) -> Result<Self, Unknown> {
        match oid {
            P256 => Ok(Self::P256),
            P384 => Ok(Self::P384),
            b"\x2B\x81\x04\x00\x23" => Err(Unknown::Unsupported("on the curve P-521")),
            b"\x2B\x81\x04\x00\x0A" => Err(Unknown::Unsupported("on the curve secp256k1")),
            _ => Err(Unknown::Unsupported("on an unknown curve")),
        }
    }

    pub(crate) fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
        }
    }

    /// Returns `crv` of RFC 7518 §6.2.1.1.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Returns the length of a coordinate and of a private key, in octets.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

impl Unknown {
    /// Completes "got …", where the key is expected in the structure that is named `structure`.
    pub(crate) fn told(&self, structure: &str) -> String {
        match self {
            Self::Malformed => format!("octets that are no {structure}"),
            Self::Unsupported(what) => format!("a key {what}"),
        }
    }
}
