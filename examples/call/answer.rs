//! How the other side answered.

use std::fmt;

use auth_core::Authorization;
use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};
use tonic::Code;

use crate::{grpc, text};

/// So much of a body is shown in one line, in bytes.
const SHOWN: usize = 1 << 10;

/// So much of a body that is shown in one line is kept: a token at its end is then found whole.
const KEPT: usize = 64 << 10;

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
pub(crate) struct Answer {
    pub(crate) status: Status,
    /// The values of `www-authenticate`.
    challenges: Vec<Vec<u8>>,
    /// As much of it as is wanted; of gRPC the status's message.
    pub(crate) body: Vec<u8>,
    /// How much of the body is kept.
    limit: usize,
}

impl Answer {
    /// The whole body is kept if `whole`, else no more than [`line`](Self::line) takes.
    pub(crate) fn http(status: StatusCode, headers: &HeaderMap, whole: bool) -> Self {
        let challenges = headers.get_all(WWW_AUTHENTICATE).into_iter();
        Self {
            status: Status::Http(status),
            challenges: challenges.map(|value| value.as_bytes().into()).collect(),
            body: Vec::new(),
            limit: match whole {
                true => usize::MAX,
                false if status.is_success() => 0,
                false => KEPT,
            },
        }
    }

    pub(crate) fn grpc(code: Code, message: &str) -> Self {
        Self {
            status: Status::Grpc(code),
            challenges: Vec::new(),
            body: message.into(),
            limit: KEPT,
        }
    }

    /// The next part of the body.
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

    /// Strikes out the token, should the other side have echoed it.
    pub(crate) fn redact(&mut self, authorization: &Authorization) {
        let header = authorization.header().as_bytes();
        let token = header.strip_prefix(b"Bearer ").unwrap_or(header);
        for bytes in self.challenges.iter_mut().chain([&mut self.body]) {
            text::redact(bytes, token);
        }
    }

    /// What it says, in one line: the challenges, then the beginning of the body.
    pub(crate) fn line(&self) -> String {
        let challenges = self.challenges.iter();
        let challenges: Vec<_> = challenges.map(|value| text::line(value, SHOWN)).collect();
        let mut parts = vec![challenges.join(", "), text::line(&self.body, SHOWN)];
        parts.retain(|part| !part.is_empty());
        match parts.is_empty() {
            true => "without a challenge, without a body".into(),
            false => parts.join("; "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, whole: bool) -> Answer {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "Bearer error=\"e\"".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "DPoP".parse().unwrap());
        Answer::http(StatusCode::from_u16(status).unwrap(), &headers, whole)
    }

    #[test]
    fn a_line_is_the_challenges_and_the_beginning_of_the_body() {
        let mut refused = answer(401, false);
        assert_eq!(refused.line(), "Bearer error=\"e\", DPoP");
        refused.add(b"{\r\n\x1b}");
        assert_eq!(refused.line(), "Bearer error=\"e\", DPoP; {}");
        refused.add(&[b'x'; 2000]);
        let expected = format!(
            "Bearer error=\"e\", DPoP; {{\r\n\x1b}}{}…",
            "x".repeat(1019)
        );
        assert_eq!(refused.line(), expected.replace(['\r', '\n', '\x1b'], ""));
        let silent = Answer::grpc(Code::Internal, "");
        assert_eq!(silent.line(), "without a challenge, without a body");
    }

    #[test]
    fn no_more_of_a_body_is_kept_than_is_shown() {
        for (status, whole, kept) in [(200, false, 0), (403, false, KEPT), (200, true, 100_000)] {
            let mut answer = answer(status, whole);
            answer.add(&[b'x'; 40_000]);
            answer.add(&[b'x'; 60_000]);
            assert_eq!(answer.body.len(), kept);
        }
    }
}
