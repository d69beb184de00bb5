//! The claims of an assertion, before its signature is verified.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// The claims of an assertion.
#[derive(Clone, Debug)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the claims of a JWT in compact form. Nothing is verified.
    pub(crate) fn read(jwt: &str) -> Result<Self, String> {
        let parts: Vec<&str> = jwt.split('.').collect();
        let [_, claims, _] = parts[..] else {
            return Err(format!(
                "expected a JWT of three parts between dots (RFC 7515 section 3.1), got {}",
                parts.len()
            ));
        };
        let json = BASE64_URL_SAFE_NO_PAD.decode(claims).ok();
        let members = json.and_then(|json| serde_json::from_slice(&json).ok());
        members
            .map(Self)
            .ok_or_else(|| "expected a JSON object as claims, got something else".to_owned())
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns a `NumericDate` (RFC 7519 §2).
    pub(super) fn seconds(&self, name: &str) -> Result<Option<f64>, String> {
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(seconds) => Ok(Some(seconds)),
                None => Err(format!("{name}: expected a number of seconds, got {value}")),
            },
        }
    }

    /// Returns a claim as an error shows it.
    pub(super) fn shown(&self, name: &str) -> String {
        self.0.get(name).map_or("nothing".into(), Value::to_string)
    }
}
