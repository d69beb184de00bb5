//! The error responses of a token endpoint: RFC 6749 §5.2.

use http::{
    HeaderValue,
    header::{CACHE_CONTROL, WWW_AUTHENTICATE},
};

use crate::Answer;

/// Why a token request is refused.
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

    pub(super) fn unsupported_grant_type() -> Self {
        Self::new(
            "unsupported_grant_type",
            "the only grant here is client_credentials",
        )
    }

    pub(super) fn invalid_scope() -> Self {
        Self::new("invalid_scope", "a scope that may not be asked for")
    }

    /// With a challenge, because the client tried the `Authorization` header.
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
            .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .body(json.to_string());
        if error.challenge {
            let challenge = HeaderValue::from_static(r#"Basic realm="token endpoint""#);
            answer.header(WWW_AUTHENTICATE, challenge)
        } else {
            answer
        }
    }
}
