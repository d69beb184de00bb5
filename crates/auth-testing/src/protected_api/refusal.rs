//! How a protected resource says no: RFC 6750 §3.

use http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE};

use crate::{Answer, issued_tokens::Scopes};

#[derive(Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    NoToken,
    InvalidRequest,
    InvalidToken,
    InsufficientScope(Scopes),
}

impl Refusal {
    pub(super) fn answer(&self) -> Answer {
        let status = match self {
            Self::NoToken | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
        };
        Answer::status(status).header(WWW_AUTHENTICATE, self.challenge())
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
                // A scope that no header can carry is left out of it.
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
            Self::NoToken => Status::unauthenticated("no bearer token"),
            Self::InvalidRequest => Status::unauthenticated("no single bearer token"),
            Self::InvalidToken => Status::unauthenticated("unknown, expired or revoked token"),
            Self::InsufficientScope(_) => Status::permission_denied("insufficient scope"),
        }
    }
}
