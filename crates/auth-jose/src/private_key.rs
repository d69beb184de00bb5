//! Reads private keys: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2), SEC1 (RFC 5915), PEM and JWK.

use ring::{
    error::KeyRejected,
    rand::SystemRandom,
    rsa::{KeyPairComponents, PublicKeyComponents},
    signature::{EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use untrusted::Reader;
use zeroize::Zeroizing;

use crate::{
    der::{self, Malformed},
    jwk::{self, Members},
    key_pair::KeyPair,
    key_type::{Curve, KeyType, Unknown},
    pem::{self, Block},
    public_jwk::bits,
};

/// The reason why there is no key. Completes "expected a private key …, got …".
pub(crate) type Fault = String;

const PRIVATE_KEY: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "an encrypted key; decrypt it: openssl pkey -in FILE -out OTHER";
const NO_PUBLIC_KEY: &str = "an EC key without its public key in full; add it: \
                             openssl ec -in FILE -conv_form uncompressed -out OTHER";
/// The size of an RSA modulus in bits.
const MIN_RSA: usize = 2048;
const MAX_RSA: usize = 4096;

/// Reads the one private key of a PEM text.
pub(crate) fn from_pem(text: &str) -> Result<KeyPair, Fault> {
    let blocks = pem::blocks(text)?;
    let mut keys = blocks
        .iter()
        .filter(|block| block.label.ends_with(PRIVATE_KEY));
    let Some(block) = keys.next() else {
        return Err(what_there_is_instead(&blocks).into());
    };
    if keys.next().is_some() {
        return Err("two or more private keys".into());
    }
    if block.is_encrypted() {
        return Err(ENCRYPTED.into());
    }
    match block.label {
        PRIVATE_KEY => from_pkcs8(&block.decode()?),
        "EC PRIVATE KEY" => from_sec1(&block.decode()?, None),
        "RSA PRIVATE KEY" => from_pkcs1(&block.decode()?, false),
        "ENCRYPTED PRIVATE KEY" => Err(ENCRYPTED.into()),
        "OPENSSH PRIVATE KEY" => Err("a key in the form of OpenSSH; convert a key of RSA or EC: \
             ssh-keygen -p -m PKCS8 -f FILE"
            .into()),
        _ => Err(
            "a private key of another kind; convert it: openssl pkey -in FILE -out OTHER".into(),
        ),
    }
}

fn what_there_is_instead(blocks: &[Block<'_>]) -> &'static str {
    let has = |what: &str| blocks.iter().any(|block| block.label.ends_with(what));
    if has("PUBLIC KEY") {
        "a public key"
    } else if has("CERTIFICATE") {
        "a certificate; give it to with_certificate_pem"
    } else {
        "PEM without a PRIVATE KEY block"
    }
}

/// Reads PKCS#8.
pub(crate) fn from_pkcs8(der: &[u8]) -> Result<KeyPair, Fault> {
    let parsed = der::whole(der, der::SEQUENCE, |reader| {
        der::unsigned(reader)?; // the version, which follows from what is there
        let key_type = KeyType::read(reader);
        let key = der::value(reader, der::OCTET_STRING)?;
        reader.skip_to_end(); // attributes, and a public key, which is checked below if it is needed
        Ok((key_type, key))
    });
    let (key_type, key) = parsed.map_err(|Malformed| not_pkcs8(der))?;
    match key_type.map_err(|unknown| unknown.told("PKCS#8 private key"))? {
        KeyType::Ec(curve) => from_sec1(key, Some(curve)),
        KeyType::Rsa => from_pkcs1(key, false),
        KeyType::RsaPss => from_pkcs1(key, true),
        KeyType::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der);
            pair.map(KeyPair::Ed25519).map_err(declined)
        }
    }
}

/// Names what was found in the place of PKCS#8.
fn not_pkcs8(der: &[u8]) -> Fault {
    let begins = |second: u8| {
        let read = |reader: &mut Reader<'_>| {
            der::value(reader, der::INTEGER)?;
            let (tag, _) = der::any(reader)?;
            reader.skip_to_end();
            if tag == second {
                Ok(())
            } else {
                Err(Malformed)
            }
        };
        der::whole(der, der::SEQUENCE, read).is_ok()
    };
    if der.is_empty() {
        "no octets".into()
    } else if begins(der::INTEGER) {
        "a key in the form of PKCS#1; convert it: openssl pkey -in FILE -out OTHER".into()
    } else if begins(der::OCTET_STRING) {
        "a key in the form of SEC1; convert it: openssl pkey -in FILE -out OTHER".into()
    } else if der.starts_with(b"-----") {
        "PEM; read it by from_pem".into()
    } else {
        "octets that are no PKCS#8 private key".into()
    }
}

/// Reads SEC1. `curve` is the one of the PKCS#8 around it.
fn from_sec1(der: &[u8], curve: Option<Curve>) -> Result<KeyPair, Fault> {
    let parsed = der::whole(der, der::SEQUENCE, |reader| {
        der::value(reader, der::INTEGER)?;
        let d = der::value(reader, der::OCTET_STRING)?;
        let named = der::optional(reader, der::CONTEXT_0)?;
        let point = reader
            .peek(der::CONTEXT_1)
            .then(|| der::nested(reader, der::CONTEXT_1, der::bit_string));
        Ok((d, named, point.transpose()?))
    });
    let malformed = |Malformed| Fault::from("octets that are no EC private key");
    let (d, named, point) = parsed.map_err(malformed)?;
    let named = named
        .map(|parameters| {
            let oid = untrusted::Input::from(parameters)
                .read_all(Malformed, |reader| der::value(reader, der::OID));
            Curve::named(oid.map_err(|_| Unknown::Unsupported("with an EC curve without a name"))?)
        })
        .transpose()
        .map_err(|unknown| unknown.told("EC private key"))?;
    let curve = match (curve, named) {
        (Some(one), Some(other)) if one != other => {
            return Err("a key that names two curves".into());
        }
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err("an EC key that names no curve".into()),
    };
    match point {
        Some(point) if point.first() == Some(&4) => ec(curve, d, point),
        _ => Err(NO_PUBLIC_KEY.into()),
    }
}

fn ec(curve: Curve, d: &[u8], point: &[u8]) -> Result<KeyPair, Fault> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), d, point, &random);
    pair.map(|pair| KeyPair::Ec(curve, pair)).map_err(declined)
}

/// Reads PKCS#1.
fn from_pkcs1(der: &[u8], is_pss_only: bool) -> Result<KeyPair, Fault> {
    let parsed = der::whole(der, der::SEQUENCE, |reader| {
        let mut next = || der::unsigned(reader);
        let _version = next()?;
        let (n, e, d, p, q) = (next()?, next()?, next()?, next()?, next()?);
        let (dp, dq, qi) = (next()?, next()?, next()?);
        let is_multi_prime = !reader.at_end();
        reader.skip_to_end();
        let key = KeyPairComponents {
            public_key: PublicKeyComponents { n, e },
            d,
            p,
            q,
            dP: dp,
            dQ: dq,
            qInv: qi,
        };
        Ok((key, is_multi_prime))
    });
    let malformed = |Malformed| Fault::from("octets that are no RSA private key");
    match parsed.map_err(malformed)? {
        (_, true) => Err(MULTI_PRIME.into()),
        (key, false) => rsa(&key, is_pss_only),
    }
}

const MULTI_PRIME: &str = "an RSA key of more than two primes";

fn rsa(key: &KeyPairComponents<&[u8]>, is_pss_only: bool) -> Result<KeyPair, Fault> {
    let size = bits(key.public_key.n);
    if !(MIN_RSA..=MAX_RSA).contains(&size) {
        return Err(format!(
            "an RSA key of {size} bits; expected {MIN_RSA} to {MAX_RSA} bits"
        ));
    }
    let pair = RsaKeyPair::from_components(key).map_err(declined)?;
    let pair = KeyPair::Rsa { pair, is_pss_only };
    // ring checks the relation of some components only when it signs
    match pair.sign(KeyType::Rsa.default_algorithm(), b"") {
        Ok(_) => Ok(pair),
        Err(_) => Err(INCONSISTENT.into()),
    }
}

const INCONSISTENT: &str = "a key whose parts contradict each other";

/// Returns the reason why ring declined a key.
fn declined(rejected: KeyRejected) -> Fault {
    match rejected.to_string().as_str() {
        "InconsistentComponents" => INCONSISTENT.into(),
        "PrivateModulusLenNotMultipleOf512Bits" => {
            "an RSA key whose primes are not of a multiple of 512 bits".into()
        }
        // the modulus was measured before
        "TooSmall" => "an RSA key whose public exponent is less than 65537".into(),
        other => format!("a key that cannot be used ({other})"),
    }
}

/// Reads a JWK.
pub(crate) fn from_jwk(members: &Members) -> Result<KeyPair, jwk::Fault> {
    members.check_is_for("sign")?;
    let Some(key_type) = members.key_type()? else {
        return members.octets("k").map(KeyPair::Hmac);
    };
    if !members.has("d") {
        return Err("a private key, got a public one: the member \"d\" is missing".into());
    }
    let pair = match key_type {
        KeyType::Ec(curve) => {
            let octets = |name| members.octets_of(name, curve.length());
            let (x, y, d) = (octets("x")?, octets("y")?, octets("d")?);
            ec(curve, &d, &[&[4], x.as_slice(), y.as_slice()].concat())
        }
        KeyType::Rsa | KeyType::RsaPss => return from_rsa_jwk(members),
        KeyType::Ed25519 => {
            let (x, d) = (members.octets_of("x", 32)?, members.octets_of("d", 32)?);
            let pair = Ed25519KeyPair::from_seed_and_public_key(&d, &x);
            pair.map(KeyPair::Ed25519).map_err(declined)
        }
    };
    pair.map_err(|fault| format!("a private key, got {fault}"))
}

fn from_rsa_jwk(members: &Members) -> Result<KeyPair, jwk::Fault> {
    if members.has("oth") {
        return Err(format!("a private key, got {MULTI_PRIME}"));
    }
    let [n, e, d, p, q, dp, dq, qi] =
        ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|name| members.octets(name));
    let number = |octets: &Zeroizing<Vec<u8>>| -> Zeroizing<Vec<u8>> {
        Zeroizing::new(der::without_leading_zeros(octets).to_vec())
    };
    let (n, e, d) = (number(&n?), number(&e?), number(&d?));
    let (p, q) = (number(&p?), number(&q?));
    let (dp, dq, qi) = (number(&dp?), number(&dq?), number(&qi?));
    let key = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: n.as_slice(),
            e: e.as_slice(),
        },
        d: d.as_slice(),
        p: p.as_slice(),
        q: q.as_slice(),
        dP: dp.as_slice(),
        dQ: dq.as_slice(),
        qInv: qi.as_slice(),
    };
    rsa(&key, false).map_err(|fault| format!("a private key, got {fault}"))
}
