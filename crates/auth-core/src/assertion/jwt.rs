//! Reads what can be known of a JWT (RFC 7519) without its key.

use std::time::Duration;

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::json_members::{Members, Value};

/// base64url with or without padding.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims of a JWT that decide whether it can be used.
pub(super) struct Claims {
    /// The end of the JWT, since 1970.
    pub(super) expires_at: Option<Duration>,
}

/// Reads a signed JWT in its compact form. `None` if it is none.
pub(super) fn claims(text: &str) -> Option<Claims> {
    let mut parts = text.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let decoded = |part: &str| BASE64_URL.decode(part).ok().map(Zeroizing::new);
    let is_object = |json: &[u8]| Members::read(json).is_complete();
    if parts.next().is_some() || signature.is_empty() || !is_object(&decoded(header)?) {
        return None;
    }
    let payload = decoded(payload)?;
    let members = Members::read(&payload);
    if !members.is_complete() {
        return None;
    }
    let seconds = members.get("exp").and_then(Value::number);
    let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    let expires_at = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Some(Claims { expires_at })
}

/// Says what a text is that is no signed JWT, without showing it. Completes "holds …".
pub(super) fn what_it_is_instead(text: &str) -> &'static str {
    let begins = text.trim_start();
    if begins.contains("-----BEGIN ") {
        "PEM"
    } else if begins.starts_with('{') {
        "JSON"
    } else if begins.starts_with('<') {
        "XML"
    } else if begins.trim_end().contains(['\n', '\r']) {
        "several lines"
    } else if text.contains(char::is_whitespace) {
        "a text with a blank"
    } else if text.split('.').count() == 5 {
        "an encrypted JWT, which has five parts,"
    } else if text.ends_with('.') {
        "a JWT without a signature"
    } else {
        "another text"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7519_3_1_the_example_is_a_jwt() {
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                    dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let claims = claims(text).unwrap();
        assert_eq!(claims.expires_at, Some(Duration::from_secs(1_300_819_380)));
    }

    #[test]
    fn other_texts_are_no_jwt() {
        for text in [
            "",
            "abc",
            "a.b",
            "a.b.c",
            "e30.e30.",
            "e30.e30.x.y",
            "e30.W10.x",
        ] {
            assert!(claims(text).is_none(), "{text}");
        }
        assert!(claims("e30.e30.x").unwrap().expires_at.is_none());
    }
}
