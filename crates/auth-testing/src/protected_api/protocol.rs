//! What is spoken over HTTP.

use http::HeaderMap;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    /// HTTP itself.
    Http,
    #[cfg(feature = "grpc")]
    Grpc,
}

impl Protocol {
    #[cfg(feature = "grpc")]
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match headers.get(http::header::CONTENT_TYPE) {
            Some(value) if value.as_bytes().starts_with(b"application/grpc") => Self::Grpc,
            _ => Self::Http,
        }
    }

    #[cfg(not(feature = "grpc"))]
    pub(super) fn of(_: &HeaderMap) -> Self {
        Self::Http
    }

    /// A stream may stay open until it is answered.
    pub(super) fn answers_before_body(self) -> bool {
        self != Self::Http
    }
}
