//! Proofs that were made for another request than the one that carries them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;

use super::head::RequestHead;
use crate::{
    dpop::DPOP,
    json_members::{Members, Value},
};

impl RequestHead<'_> {
    /// Returns whether the request carries a proof that was made for another URL or another method ([RFC
    /// 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)), as the next request after a redirect
    /// does if a client repeats the headers of the first one.
    ///
    /// `false` if the request's URI names no origin, and for a proof that is no JWT.
    #[must_use]
    pub fn has_foreign_proof(&self) -> bool {
        self.headers.contains_key(DPOP) && self.is_foreign()
    }

    #[cold]
    fn is_foreign(&self) -> bool {
        let (Some(origin), Some(path)) = (self.origin(), self.target.path()) else {
            return false;
        };
        let url = format!("{origin}{path}");
        let is_other = |proof: &HeaderValue| {
            let claims = proof
                .to_str()
                .ok()
                .and_then(|proof| proof.split('.').nth(1));
            let claims = claims.and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
            let claims = claims.unwrap_or_default();
            let claims = Members::read(&claims);
            let differs = |name, expected: &str| {
                let value = claims.get(name).and_then(Value::text);
                value.is_some_and(|value| *value != *expected)
            };
            let method = self.method.map_or("", |method| method.as_str());
            differs("htu", &url) || (!method.is_empty() && differs("htm", method))
        };
        self.headers.get_all(DPOP).iter().any(is_other)
    }
}
