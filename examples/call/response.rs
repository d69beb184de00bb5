//! The response to one request.

use std::fmt;

use auth_core::Authorization;
use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};
use tonic::Code;

use crate::{grpc, text};

/// The max length of a challenge or a body in one printed line, in bytes.
const MAX_SHOWN: usize = 1 << 10;

/// The max length of the kept part of a body that is printed in one line. It is larger than
/// [`MAX_SHOWN`], so that a token at the end of the shown part is complete and can be redacted.
const MAX_KEPT: usize = 64 << 10;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Status {
    Http(StatusCode),
    Grpc(Code),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(status) => f.write_str(status.as_str()),
            Self::Grpc(code) => f.write_str(grpc::name(*code)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: Status,
    /// The values of `www-authenticate`.
    challenges: Vec<Vec<u8>>,
    /// The kept part of the body; for gRPC the message of the status.
    pub(crate) body: Vec<u8>,
    /// The max length of the kept part.
    limit: usize,
}

impl Response {
    /// Keeps the whole body if `whole`, else the part that [`line`](Self::line) needs.
    pub(crate) fn http(status: StatusCode, headers: &HeaderMap, whole: bool) -> Self {
        let challenges = headers.get_all(WWW_AUTHENTICATE).into_iter();
        Self {
            status: Status::Http(status),
            challenges: challenges.map(|value| value.as_bytes().into()).collect(),
            body: Vec::new(),
            limit: match whole {
                true => usize::MAX,
                false if status.is_success() => 0,
                false => MAX_KEPT,
            },
        }
    }

    pub(crate) fn grpc(code: Code, message: &str) -> Self {
        Self {
            status: Status::Grpc(code),
            challenges: Vec::new(),
            body: message.into(),
            limit: MAX_KEPT,
        }
    }

    /// Adds the next part of the body.
    pub(crate) fn add(&mut self, part: &[u8]) {
        let room = self.limit.saturating_sub(self.body.len());
        self.body.extend_from_slice(&part[..room.min(part.len())]);
    }

    pub(crate) fn is_success(&self) -> bool {
        match self.status {
            Status::Http(status) => status.is_success(),
            Status::Grpc(code) => code == Code::Ok,
        }
    }

    /// Redacts the token, in case the server echoed it.
    pub(crate) fn redact(&mut self, authorization: &Authorization) {
        let header = authorization.header().as_bytes();
        let token = header.strip_prefix(b"Bearer ").unwrap_or(header);
        for bytes in self.challenges.iter_mut().chain([&mut self.body]) {
            text::redact(bytes, token);
        }
    }

    /// Returns the challenges and the beginning of the body in one line.
    pub(crate) fn line(&self) -> String {
        let challenges = self.challenges.iter();
        let challenges: Vec<_> = challenges
            .map(|value| text::line(value, MAX_SHOWN))
            .collect();
        let mut parts = vec![challenges.join(", "), text::line(&self.body, MAX_SHOWN)];
        parts.retain(|part| !part.is_empty());
        match parts.is_empty() {
            true => "no challenge and no body".into(),
            false => parts.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, whole: bool) -> Response {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Bearer error=\"e\"".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "DPoP".parse().unwrap());
        Response::http(StatusCode::from_u16(status).unwrap(), &headers, whole)
    }

    #[test]
    fn a_line_is_the_challenges_and_the_beginning_of_the_body() {
        let mut rejection = response(401, false);
        assert_eq!(rejection.line(), "Bearer error=\"e\", DPoP");
        rejection.add(b"{\r\n\x1b}");
        assert_eq!(rejection.line(), "Bearer error=\"e\", DPoP; {}");
        rejection.add(&[b'x'; 2000]);
        let expected = format!(
            "Bearer error=\"e\", DPoP; {{\r\n\x1b}}{}…",
            "x".repeat(1019)
        );
        assert_eq!(rejection.line(), expected.replace(['\r', '\n', '\x1b'], ""));
        let empty = Response::grpc(Code::Internal, "");
        assert_eq!(empty.line(), "no challenge and no body");
    }

    #[test]
    fn no_more_of_a_body_is_kept_than_is_shown() {
        for (status, whole, kept) in [
            (200, false, 0),
            (403, false, MAX_KEPT),
            (200, true, 100_000),
        ] {
            let mut response = response(status, whole);
            response.add(&[b'x'; 40_000]);
            response.add(&[b'x'; 60_000]);
            assert_eq!(response.body.len(), kept);
        }
    }
}
