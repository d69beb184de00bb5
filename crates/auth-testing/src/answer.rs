//! A response that a test defines.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full};

use crate::loopback::Body;

/// A response that a test defines: any status, headers and body, also such that no correct server
/// would send.
///
/// The server adds `Date` and `Content-Length`, which HTTP requires. An [`http::Response`] converts
/// into an `Answer` with `From`, and back.
///
/// ```
/// use std::time::Duration;
/// use auth_testing::Answer;
/// use http::{HeaderValue, StatusCode, header};
///
/// let busy = Answer::status(StatusCode::SERVICE_UNAVAILABLE).with_retry_after(Duration::from_secs(2));
/// let denied = Answer::oauth_error("unauthorized_client");
/// let html = Answer::status(StatusCode::OK)
///     .with_header(header::CONTENT_TYPE, HeaderValue::from_static("text/html"))
///     .with_body("<h1>Log in</h1>");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Answer(Response<Bytes>);

impl Answer {
    /// Creates a response with this status and an empty body.
    pub fn status(status: StatusCode) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Self(response)
    }

    /// Creates a 200 with this text as JSON. The text is sent unchanged, and may be malformed.
    pub fn json(json: impl Into<Bytes>) -> Self {
        Self::status(StatusCode::OK)
            .with_header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .with_body(json)
    }

    /// Creates the response of a token endpoint that denies a token request with this error code
    /// ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)): 401 for
    /// `invalid_client`, 400 for every other code.
    pub fn oauth_error(code: &str) -> Self {
        let mut answer = Self::json(serde_json::json!({ "error": code }).to_string());
        *answer.0.status_mut() = match code {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        answer
    }

    /// Adds a header. A header of the same name stays.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().append(name, value);
        self
    }

    /// Adds `Retry-After` in seconds, rounded up. For a date add a [header](Self::with_header).
    pub fn with_retry_after(self, delay: Duration) -> Self {
        let part = u64::from(delay.subsec_nanos() > 0);
        let seconds = delay.as_secs().saturating_add(part);
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Replaces the body.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        *self.0.body_mut() = body.into();
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        self.0.map(|body| {
            Full::new(body)
                .map_err(|never| match never {})
                .boxed_unsync()
        })
    }
}

impl From<Answer> for Response<Bytes> {
    fn from(answer: Answer) -> Self {
        answer.0
    }
}

impl From<Response<Bytes>> for Answer {
    fn from(response: Response<Bytes>) -> Self {
        Self(response)
    }
}

/// Creates a trailers-only response: the gRPC status is in the response headers.
#[cfg(feature = "grpc")]
impl From<tonic::Status> for Answer {
    fn from(status: tonic::Status) -> Self {
        Self(status.into_http())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up_to_whole_seconds() {
        for (millis, seconds) in [(0, "0"), (1, "1"), (1000, "1"), (1001, "2")] {
            let delay = Duration::from_millis(millis);
            let answer = Answer::status(StatusCode::OK).with_retry_after(delay);
            assert_eq!(answer.0.headers()[RETRY_AFTER], seconds);
        }
    }

    #[test]
    fn invalid_client_is_a_401_and_every_other_code_a_400() {
        assert_eq!(Answer::oauth_error("invalid_client").0.status(), 401);
        let other = Answer::oauth_error("invalid_scope").0;
        assert_eq!(other.status(), 400);
        assert_eq!(other.body(), r#"{"error":"invalid_scope"}"#);
    }
}
