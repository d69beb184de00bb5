//! The header of a proof.

use http::HeaderValue;

use crate::Error;

/// Returns a proof as the value of its header, marked sensitive: a reader of the value could present
/// it until the server has seen it.
///
/// # Errors
/// If the proof is no JWT in the compact serialization, by its characters and its three parts.
pub(crate) fn proof_header(proof: &str) -> Result<HeaderValue, Error> {
    let is_part = |part: &str| {
        let is_base64url = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
        !part.is_empty() && part.bytes().all(is_base64url)
    };
    let has_three_parts = proof.split('.').count() == 3 && proof.split('.').all(is_part);
    let value = has_three_parts.then(|| HeaderValue::from_str(proof).ok());
    let mut value = value.flatten().ok_or_else(|| {
        Error::configuration(
            "DPoP proof: expected a signed JWT in the compact serialization (RFC 7515 section 7.1), got \
             another text",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7515_7_1_only_a_jwt_becomes_a_header() {
        assert!(proof_header("a-_9.b.c").unwrap().is_sensitive());
        for other in [
            "",
            "a.b",
            "a..c",
            "a.b.c.d",
            "a.b.c ",
            "a.b.c\r\nX: y",
            "a,b.c.d",
        ] {
            let error = proof_header(other).unwrap_err().to_string();
            assert!(error.contains("expected a signed JWT"), "{error}");
        }
    }
}
