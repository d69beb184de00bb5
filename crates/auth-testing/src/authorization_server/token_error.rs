//! The error responses of a token endpoint: RFC 6749 §5.2.

use http::{
    HeaderValue,
    header::{CACHE_CONTROL, WWW_AUTHENTICATE},
};

use crate::{answer::Answer, dpop::ProofError};

/// The reason why a token request is denied.
#[derive(Debug)]
pub(super) struct TokenError {
    code: &'static str,
    description: &'static str,
    challenge: bool,
}

impl TokenError {
    fn new(code: &'static str, description: &'static str) -> Self {
        Self {
            code,
            description,
            challenge: false,
        }
    }

    pub(super) fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn invalid_client(description: &'static str) -> Self {
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

    pub(super) fn unsupported_grant_type() -> Self {
        Self::new(
            "unsupported_grant_type",
            "grant_type: expected client_credentials, got another",
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
            "error_description": error.description,
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
