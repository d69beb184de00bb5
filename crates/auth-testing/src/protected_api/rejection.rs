//! The responses that reject a request: RFC 6750 §3.

use http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE};

use crate::{answer::Answer, issued_tokens::Scopes};

/// The reason why a request is rejected.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Rejection {
    NoToken,
    InvalidRequest,
    InvalidToken,
    InsufficientScope(Scopes),
}

impl Rejection {
    pub(super) fn answer(&self) -> Answer {
        let status = match self {
            Self::NoToken | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
        };
        Answer::status(status).with_header(WWW_AUTHENTICATE, self.challenge())
    }

    fn challenge(&self) -> HeaderValue {
        match self {
            Self::NoToken => HeaderValue::from_static("Bearer"),
            Self::InvalidRequest => HeaderValue::from_static(r#"Bearer error="invalid_request""#),
            Self::InvalidToken => HeaderValue::from_static(r#"Bearer error="invalid_token""#),
            Self::InsufficientScope(required) => {
                let required: Vec<&str> = required.iter().map(String::as_str).collect();
                let scope = required.join(" ");
                let challenge = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
                // a scope that no header can carry is left out
                HeaderValue::try_from(challenge).unwrap_or_else(|_| {
                    HeaderValue::from_static(r#"Bearer error="insufficient_scope""#)
                })
            }
        }
    }

    #[cfg(feature = "grpc")]
    pub(super) fn status(&self) -> tonic::Status {
        use tonic::Status;
        match self {
            Self::NoToken => Status::unauthenticated("expected a bearer token, got none"),
            Self::InvalidRequest => Status::unauthenticated("expected one bearer token"),
            Self::InvalidToken => {
                Status::unauthenticated("the bearer token is unknown, expired or revoked")
            }
            Self::InsufficientScope(_) => {
                Status::permission_denied("the bearer token lacks a required scope")
            }
        }
    }
}
