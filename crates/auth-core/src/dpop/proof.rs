//! The header of a proof.

use http::HeaderValue;

use crate::Error;

/// Returns a proof as the value of its header, marked sensitive: a reader of the value could present
/// it until the server has seen it.
///
/// # Errors
/// If the proof is no JWT in the compact serialization, by its characters and its three parts.
pub(crate) fn proof_header(proof: &str) -> Result<HeaderValue, Error> {
    let value = is_jwt(proof).then(|| HeaderValue::from_str(proof).ok());
    let mut value = value.flatten().ok_or_else(|| {
        Error::configuration(
            "DPoP proof: expected a signed JWT in the compact serialization (RFC 7515 section 7.1), got \
             another text",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_jwt(proof: &str) -> bool {
    let mut parts = proof.split('.');
    let three = [parts.next(), parts.next(), parts.next()];
    let is_part = |part: Option<&str>| {
        part.is_some_and(|part| !part.is_empty() && is_base64url(part.as_bytes()))
    };
    parts.next().is_none() && three.into_iter().all(is_part)
}

/// Looks at every octet, without an end at the first other one: the compiler then compares many at once.
fn is_base64url(part: &[u8]) -> bool {
    let is_one = |octet: u8| octet.is_ascii_alphanumeric() | (octet == b'-') | (octet == b'_');
    part.iter().fold(true, |all, octet| all & is_one(*octet))
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
