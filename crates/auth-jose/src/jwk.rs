//! The members of a JWK (RFC 7517).

use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    base64url,
    fault::shown,
    key_type::{Curve, KeyType},
};

/// The members of a JWK. Their texts are wiped when dropped.
pub(crate) struct Members(Map<String, Value>);

/// The reason why a JWK cannot be used. Completes "expected …".
pub(crate) type Fault = String;

impl Members {
    /// Reads a JSON object.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let expected = |got: &str| format!("one JWK as a JSON object, got {got}");
        if text.trim_start().is_empty() {
            return Err(expected("an empty text"));
        }
        if text.contains("-----BEGIN ") && !text.trim_start().starts_with('{') {
            return Err(expected("PEM; read it by from_pem"));
        }
        // the text of the error may contain a part of the key
        let members: Value = serde_json::from_str(text).map_err(|error| {
            expected(&format!(
                "a text that is no JSON at line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        let members = match members {
            Value::Object(members) => Self(members),
            mut other => {
                wipe(&mut other);
                return Err(expected("another JSON value"));
            }
        };
        if members.0.contains_key("keys") {
            return Err(expected("a JWK set; take the one key out of it"));
        }
        Ok(members)
    }

    /// Returns whether there is a member `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns a text, if there is a member `name`.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("a text as member {name:?}, got another JSON value")),
        }
    }

    /// Returns a text that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Fault> {
        let missing = || format!("the member {name:?}, which is missing");
        self.text(name)?.ok_or_else(missing)
    }

    /// Returns octets that must be there.
    pub(crate) fn octets(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let fault = || format!("base64url without padding as member {name:?}, got another text");
        base64url::decode(self.required(name)?).ok_or_else(fault)
    }

    /// Returns as many octets as expected, which must be there.
    pub(crate) fn octets_of(&self, name: &str, length: usize) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let octets = self.octets(name)?;
        let found = octets.len();
        if found == length {
            Ok(octets)
        } else {
            Err(format!("{length} octets as member {name:?}, got {found}"))
        }
    }

    /// Returns the type of an asymmetric key. `None` if it is symmetric.
    pub(crate) fn key_type(&self) -> Result<Option<KeyType>, Fault> {
        let curve = || self.required("crv");
        match self.required("kty")? {
            "EC" => match curve()? {
                "P-256" => Ok(Some(KeyType::Ec(Curve::P256))),
                "P-384" => Ok(Some(KeyType::Ec(Curve::P384))),
                other => Err(format!(
                    "\"P-256\" or \"P-384\" as member \"crv\", got {}",
                    shown(other)
                )),
            },
            "RSA" => Ok(Some(KeyType::Rsa)),
            "OKP" => match curve()? {
                "Ed25519" => Ok(Some(KeyType::Ed25519)),
                other => Err(format!(
                    "\"Ed25519\" as member \"crv\", got {}",
                    shown(other)
                )),
            },
            "oct" => Ok(None),
            other => Err(format!(
                "\"EC\", \"RSA\", \"OKP\" or \"oct\" as member \"kty\", got {}",
                shown(other)
            )),
        }
    }

    /// Checks `use` and `key_ops` (RFC 7517 §4.2 and §4.3), which may forbid an operation.
    pub(crate) fn check_is_for(&self, operation: &str) -> Result<(), Fault> {
        if let Some(other) = self.text("use")?.filter(|usage| *usage != "sig") {
            return Err(format!("\"sig\" as member \"use\", got {}", shown(other)));
        }
        let is_operation = |found: &Value| found.as_str() == Some(operation);
        match self.0.get("key_ops") {
            None => Ok(()),
            Some(Value::Array(operations)) if operations.iter().any(is_operation) => Ok(()),
            Some(_) => Err(format!("{operation:?} in the list \"key_ops\"")),
        }
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}
