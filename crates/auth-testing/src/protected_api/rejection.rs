//! The responses that reject a request: RFC 6750 §3.

use auth_core::AccessTokenType;
use http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE};

use crate::{
    answer::Answer,
    dpop::{DPOP_NONCE, ProofError},
    issued_tokens::Scopes,
};

/// The reason why a request is rejected.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Rejection {
    NoToken,
    InvalidRequest,
    InvalidToken,
    InsufficientScope(Scopes),
    /// The proof of a request whose token is bound to a key (RFC 9449 §7.1).
    Proof(ProofError),
}

impl Rejection {
    /// Returns the response to a request that presented a token of this type.
    pub(super) fn answer(&self, token_type: AccessTokenType) -> Answer {
        let status = match self {
            Self::NoToken | Self::InvalidToken | Self::Proof(_) => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
        };
        let answer =
            Answer::status(status).with_header(WWW_AUTHENTICATE, self.challenge(token_type));
        match self {
            Self::Proof(ProofError::UseNonce(nonce)) => {
                answer.with_header(DPOP_NONCE, nonce.clone())
            }
            _ => answer,
        }
    }

    fn challenge(&self, token_type: AccessTokenType) -> HeaderValue {
        let scheme = token_type.scheme();
        let with = |error: &str| format!(r#"{scheme} error="{error}""#);
        let challenge = match self {
            Self::NoToken => scheme.to_owned(),
            Self::InvalidRequest => with("invalid_request"),
            Self::InvalidToken => with("invalid_token"),
            Self::Proof(ProofError::Invalid) => with("invalid_dpop_proof"),
            Self::Proof(ProofError::UseNonce(_)) => with("use_dpop_nonce"),
            Self::InsufficientScope(required) => {
                let required: Vec<&str> = required.iter().map(String::as_str).collect();
                let scope = required.join(" ");
                format!(r#"{}, scope="{scope}""#, with("insufficient_scope"))
            }
        };
        // a scope that no header can carry is left out
        let without_scope = || HeaderValue::from_static(r#"Bearer error="insufficient_scope""#);
        HeaderValue::try_from(challenge).unwrap_or_else(|_| without_scope())
    }

    #[cfg(feature = "grpc")]
    pub(super) fn status(&self, token_type: AccessTokenType) -> tonic::Status {
        use tonic::Status;
        let mut status = match self {
            Self::Proof(ProofError::Invalid) => {
                Status::unauthenticated("expected one proof for this call")
            }
            Self::Proof(ProofError::UseNonce(_)) => {
                Status::unauthenticated("expected the nonce of this response in the proof")
            }
            Self::NoToken => Status::unauthenticated("expected a bearer token, got none"),
            Self::InvalidRequest => Status::unauthenticated("expected one bearer token"),
            Self::InvalidToken => {
                Status::unauthenticated("the bearer token is unknown, expired or revoked")
            }
            Self::InsufficientScope(_) => {
                Status::permission_denied("the bearer token lacks a required scope")
            }
        };
        if token_type == AccessTokenType::Dpop {
            let answer = http::Response::from(self.answer(token_type));
            *status.metadata_mut() =
                tonic::metadata::MetadataMap::from_headers(answer.into_parts().0.headers);
        }
        status
    }
}
