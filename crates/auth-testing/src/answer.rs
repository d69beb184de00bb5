//! A response given instead of the server's own.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full};

use crate::loopback::Body;

/// A response that a server is told to give: any status, headers and body, valid or not.
///
/// Nothing is added to it but what HTTP itself needs (`Date`, `Content-Length`). Other shapes come
/// from an [`http::Response`] by `From`.
///
/// ```
/// use std::time::Duration;
/// use auth_testing::Answer;
/// use http::{HeaderValue, StatusCode, header};
///
/// let busy = Answer::status(StatusCode::SERVICE_UNAVAILABLE).retry_after(Duration::from_secs(2));
/// let refused = Answer::oauth_error("unauthorized_client");
/// let html = Answer::status(StatusCode::OK)
///     .header(header::CONTENT_TYPE, HeaderValue::from_static("text/html"))
///     .body("<h1>Log in</h1>");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Answer(Response<Bytes>);

impl Answer {
    /// An empty answer with this status.
    pub fn status(status: StatusCode) -> Self {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status;
        Self(response)
    }

    /// A 200 with this JSON, which is sent as it stands: it may be malformed.
    pub fn json(json: impl Into<Bytes>) -> Self {
        Self::status(StatusCode::OK)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(json)
    }

    /// An error response of a token endpoint
    /// ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)) with this code: 401
    /// for `invalid_client`, 400 for all others.
    pub fn oauth_error(code: &str) -> Self {
        let mut answer = Self::json(serde_json::json!({ "error": code }).to_string());
        *answer.0.status_mut() = match code {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        answer
    }

    /// Adds a header; one of the same name stays.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().append(name, value);
        self
    }

    /// Adds `Retry-After` in seconds, a begun second counting as one. Its date form is a
    /// [`header`](Self::header).
    pub fn retry_after(self, delay: Duration) -> Self {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Replaces the body, which is empty by default.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
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

impl From<Response<Bytes>> for Answer {
    fn from(response: Response<Bytes>) -> Self {
        Self(response)
    }
}

/// A trailers-only response: the status in the response headers.
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
    fn a_begun_second_of_retry_after_counts() {
        for (millis, seconds) in [(0, "0"), (1, "1"), (1000, "1"), (1001, "2")] {
            let delay = Duration::from_millis(millis);
            let answer = Answer::status(StatusCode::OK).retry_after(delay);
            assert_eq!(answer.0.headers()[RETRY_AFTER], seconds);
        }
    }

    #[test]
    fn invalid_client_alone_is_a_401() {
        assert_eq!(Answer::oauth_error("invalid_client").0.status(), 401);
        let other = Answer::oauth_error("invalid_scope").0;
        assert_eq!(other.status(), 400);
        assert_eq!(other.body(), r#"{"error":"invalid_scope"}"#);
    }
}
