//! Proofs of requests (RFC 9449), as far as the servers check them: the claims, and not the signature.

use std::{collections::HashSet, sync::Mutex};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::HOST, uri::Authority};
use serde_json::Value;

use crate::sync::lock;

const DPOP: HeaderName = HeaderName::from_static("dpop");
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The reason why a proof is rejected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ProofError {
    /// There is none, or it is not for this request, or it was used before.
    Invalid,
    /// It has another nonce than this one.
    UseNonce(HeaderValue),
}

/// The checks of one server.
#[derive(Debug, Default)]
pub(crate) struct ProofChecks {
    nonce: Mutex<Option<HeaderValue>>,
    used: Mutex<HashSet<String>>,
}

impl ProofChecks {
    /// Sets the nonce that each proof has to have.
    pub(crate) fn demand_nonce(&self, nonce: Option<HeaderValue>) {
        *lock(&self.nonce) = nonce;
    }

    /// Returns the nonce that each proof has to have.
    pub(crate) fn nonce(&self) -> Option<HeaderValue> {
        lock(&self.nonce).clone()
    }

    /// Checks that a request has one proof, made for its method and its URL (apart from the query), with
    /// the demanded nonce, and never used before.
    pub(crate) fn check(
        &self,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
    ) -> Result<(), ProofError> {
        let (proof, claims) = proof(headers).ok_or(ProofError::Invalid)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("htm") != Some(method.as_str()) || text("htu") != Some(url) {
            return Err(ProofError::Invalid);
        }
        if let Some(nonce) = self.nonce()
            && text("nonce").map(str::as_bytes) != Some(nonce.as_bytes())
        {
            return Err(ProofError::UseNonce(nonce));
        }
        match lock(&self.used).insert(proof.to_owned()) {
            true => Ok(()),
            false => Err(ProofError::Invalid),
        }
    }
}

/// Returns the URL of a request without its query, as the client wrote it. `base`: the origin of the server,
/// or its scheme.
pub(crate) fn request_url(base: &str, uri: &Uri, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(Authority::as_str).or(host);
    let scheme = if base.starts_with("https") {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}{}", authority.unwrap_or_default(), uri.path())
}

/// Returns whether a request has a proof.
pub(crate) fn has_proof(headers: &HeaderMap) -> bool {
    headers.contains_key(DPOP)
}

/// Returns the one proof of a request, and its claims.
fn proof(headers: &HeaderMap) -> Option<(&str, Value)> {
    let mut proofs = headers.get_all(DPOP).iter();
    let (Some(proof), None) = (proofs.next(), proofs.next()) else {
        return None;
    };
    let proof = proof.to_str().ok()?;
    let claims = URL_SAFE_NO_PAD.decode(proof.split('.').nth(1)?).ok()?;
    Some((proof, serde_json::from_slice(&claims).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://127.0.0.1/orders";

    fn headers(claims: &Value) -> HeaderMap {
        let proof = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut headers = HeaderMap::new();
        headers.insert(DPOP, proof.parse().unwrap());
        headers
    }

    #[test]
    fn a_proof_is_for_one_request_and_is_used_once() {
        let checks = ProofChecks::default();
        let proof = headers(&serde_json::json!({"htm": "GET", "htu": URL, "jti": "1"}));
        let invalid = Err(ProofError::Invalid);
        assert_eq!(checks.check(&Method::POST, URL, &proof), invalid);
        assert_eq!(
            checks.check(&Method::GET, "http://127.0.0.1/", &proof),
            invalid
        );
        assert_eq!(checks.check(&Method::GET, URL, &HeaderMap::new()), invalid);
        assert_eq!(checks.check(&Method::GET, URL, &proof), Ok(()));
        assert_eq!(checks.check(&Method::GET, URL, &proof), invalid);
        let mut two = headers(&serde_json::json!({"htm": "GET", "htu": URL, "jti": "2"}));
        two.append(DPOP, two[DPOP].clone());
        assert_eq!(checks.check(&Method::GET, URL, &two), invalid);
    }

    #[test]
    fn a_demanded_nonce_is_required() {
        let checks = ProofChecks::default();
        let nonce = HeaderValue::from_static("n1");
        checks.demand_nonce(Some(nonce.clone()));
        let without = headers(&serde_json::json!({"htm": "GET", "htu": URL}));
        let demanded = Err(ProofError::UseNonce(nonce));
        assert_eq!(checks.check(&Method::GET, URL, &without), demanded);
        let with = headers(&serde_json::json!({"htm": "GET", "htu": URL, "nonce": "n1"}));
        assert_eq!(checks.check(&Method::GET, URL, &with), Ok(()));
    }
}
