//! The error responses of a token endpoint: RFC 6749 §5.2.

use std::borrow::Cow;

use http::{
    HeaderValue,
    header::{CACHE_CONTROL, WWW_AUTHENTICATE},
};

use crate::{answer::Answer, dpop::ProofError};

/// The reason why a token request is denied.
#[derive(Debug)]
pub(super) struct TokenError {
    code: &'static str,
    description: Cow<'static, str>,
    challenge: bool,
}

impl TokenError {
    fn new(code: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
            challenge: false,
        }
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn invalid_client(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_client", description)
    }

    /// Rejects the proof of a token request (RFC 9449 §5 and §8).
    pub(super) fn proof(error: &ProofError) -> Self {
        match error {
            ProofError::Invalid => Self::new(
                "invalid_dpop_proof",
                "expected one proof for this request that was not used before",
            ),
            ProofError::UseNonce(_) => Self::new(
                "use_dpop_nonce",
                "expected the nonce of this response in the proof",
            ),
        }
    }

    pub(super) fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) fn unsupported_grant_type(supported: &[&str]) -> Self {
        let supported = supported.join(", ");
        Self::new(
            "unsupported_grant_type",
            format!("grant_type: expected one of {supported}, got another"),
        )
    }

    pub(super) fn invalid_scope() -> Self {
        Self::new(
            "invalid_scope",
            "the client may not request one of the scopes",
        )
    }

    /// Adds a challenge, because the client used the `Authorization` header.
    pub(super) fn with_challenge(mut self) -> Self {
        self.challenge = true;
        self
    }
}

impl From<TokenError> for Answer {
    fn from(error: TokenError) -> Self {
        let json = serde_json::json!({
            "error": error.code,
            "error_description": permitted(&error.description),
        });
        let answer = Answer::oauth_error(error.code)
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .with_body(json.to_string());
        if error.challenge {
            let challenge = HeaderValue::from_static(r#"Basic realm="token endpoint""#);
            answer.with_header(WWW_AUTHENTICATE, challenge)
        } else {
            answer
        }
    }
}

/// Replaces the characters that a description must not have: a quotation mark by an apostrophe, others by a
/// question mark.
fn permitted(description: &str) -> String {
    let permitted = |c: char| match c {
        '"' => '\'',
        ' '..='~' if c != '\\' => c,
        _ => '?',
    };
    description.chars().map(permitted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_5_2_a_description_has_no_quotation_mark_and_no_backslash() {
        assert_eq!(permitted("got \"a\\b\"\né"), "got 'a?b'??");
    }
}
