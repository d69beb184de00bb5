//! No text that is printed holds a part of a key.

use std::collections::HashSet;

use auth_jose::{Algorithm, Jwt, SigningKey};
use serde_json::Value;

use crate::keys::{self, key};

/// The length from which a part of a secret counts.
const PART: usize = 6;

/// All parts of the secrets of a key.
struct Parts(HashSet<Vec<u8>>);

impl Parts {
    fn of(secrets: &[String]) -> Self {
        let parts = secrets
            .iter()
            .flat_map(|secret| secret.as_bytes().windows(PART));
        Self(parts.map(<[u8]>::to_vec).collect())
    }

    #[track_caller]
    fn assert_not_in(&self, text: &str) {
        for part in text.as_bytes().windows(PART) {
            assert!(
                !self.0.contains(part),
                "{:?} in {text}",
                str::from_utf8(part)
            );
        }
    }
}

/// Returns the private members of a JWK.
fn private_members(jwk: &str) -> Vec<String> {
    let jwk: Value = serde_json::from_str(jwk).unwrap();
    let members = ["d", "p", "q", "dp", "dq", "qi", "k"];
    let texts = members.iter().filter_map(|name| jwk.get(name)?.as_str());
    texts.map(ToOwned::to_owned).collect()
}

/// Returns the lines of a PEM text. Those of private keys hold little else.
fn body(pem: &str) -> Vec<String> {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    // the head of the structure is the same in many keys
    lines.skip(1).map(ToOwned::to_owned).collect()
}

#[test]
fn a_key_shows_algorithm_key_id_and_thumbprint_alone() {
    for (jwk, shown) in [
        (
            keys::P256,
            r#"SigningKey { algorithm: Es256, key_id: None, thumbprint: Some("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"), .. }"#,
        ),
        (
            keys::OCT,
            "SigningKey { algorithm: Hs256, key_id: None, thumbprint: None, .. }",
        ),
    ] {
        let key = SigningKey::from_jwk(jwk).unwrap();
        assert_eq!(format!("{key:?}"), shown);
        Parts::of(&private_members(jwk)).assert_not_in(&format!("{key:?} {key:#?}"));
    }
    let rsa = key!("rfc7515-a2.json");
    let key = SigningKey::from_jwk(rsa).unwrap();
    Parts::of(&private_members(rsa)).assert_not_in(&format!("{key:?}"));
}

#[test]
fn a_jwt_shows_the_names_of_its_claims_and_no_signature() {
    let jwt = Jwt::new().typ("JWT").claim("pid", "12345678901");
    assert_eq!(
        format!("{jwt:?}"),
        r#"Jwt { typ: Some("JWT"), claims: ["pid"], .. }"#
    );
    let key = SigningKey::from_jwk(keys::P256).unwrap();
    let signed = jwt.sign_now(&key).unwrap();
    assert_eq!(format!("{signed:?}"), "Ok([redacted])");
}

/// Each key, cut, changed and given to the wrong function.
#[test]
fn no_error_shows_a_part_of_a_key() {
    let mut seen = 0;
    let mut check = |read: Result<SigningKey, auth_jose::auth_core::Error>, secrets: &Parts| {
        if let Err(error) = read {
            secrets.assert_not_in(&format!("{error} {error:?} {error:#?}"));
            seen += 1;
        }
    };
    for jwk in [
        keys::P256,
        keys::OCT,
        keys::ED25519,
        key!("rfc7515-a2.json"),
    ] {
        let members = private_members(jwk);
        let secrets = Parts::of(&members);
        for length in (0..jwk.len()).step_by(3) {
            check(SigningKey::from_jwk(&jwk[..length]), &secrets);
            let changed = format!("{}!{}", &jwk[..length], &jwk[length..]);
            check(SigningKey::from_jwk(&changed), &secrets);
        }
        check(SigningKey::from_pem(jwk), &secrets);
        // a private member in the place of a name
        for secret in &members {
            for name in ["kty", "crv", "alg", "use"] {
                let mut jwk: Value = serde_json::from_str(jwk).unwrap();
                jwk[name] = secret.as_str().into();
                check(SigningKey::from_jwk(&jwk.to_string()), &secrets);
            }
            check(
                SigningKey::from_jwk(&Value::from(secret.as_str()).to_string()),
                &secrets,
            );
        }
    }
    for pem in [
        key!("p256.pem"),
        key!("ed25519.pem"),
        key!("rsa2048-pkcs1.pem"),
    ] {
        let secrets = Parts::of(&body(pem));
        for length in (0..pem.len()).step_by(3) {
            check(SigningKey::from_pem(&pem[..length]), &secrets);
            let changed = format!("{}!{}", &pem[..length], &pem[length..]);
            check(SigningKey::from_pem(&changed), &secrets);
        }
        check(SigningKey::from_jwk(pem), &secrets);
        check(SigningKey::from_pkcs8_der(pem.as_bytes()), &secrets);
        let labelled = pem.replace(
            "PRIVATE KEY",
            &format!("{} PRIVATE KEY", body(pem).concat()),
        );
        check(SigningKey::from_pem(&labelled), &secrets);
    }
    let secret = "kL0-vT7-hQ3-xW9-bN5-mD1";
    let parts = Parts::of(&[secret.into()]);
    check(
        SigningKey::hmac(secret.as_bytes(), Algorithm::Hs256),
        &parts,
    );
    parts.assert_not_in(&secret.parse::<Algorithm>().unwrap_err().to_string());
    assert!(seen > 1000, "{seen}");
}
