//! The reason of a rejection: the API's challenges (RFC 6750 §3), or a gRPC status.

mod parser;

use http::{
    HeaderMap,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};

use parser::{Part, Parts, Value};

/// The error that a response's challenges report for the scheme that was used.
///
/// Ordered by how specific each is. Of several challenges the most specific one counts, in any
/// order of the challenges.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum ChallengeError {
    /// There are challenges, but none for the scheme that was used.
    OtherScheme,
    /// No challenge, or none with an error code that is known here.
    Unspecified,
    /// The `DPoP` proof is rejected (RFC 9449 §7.1). The token is not rejected.
    Proof,
    /// The `DPoP` proof lacks the server's nonce (RFC 9449 §9). The token is not rejected.
    UseNonce,
    /// The request is malformed, RFC 6750 §3.1.
    InvalidRequest,
    /// The token is valid, but its scope does not suffice, RFC 6750 §3.1.
    InsufficientScope,
    /// The token is expired, revoked or otherwise invalid, RFC 6750 §3.1.
    InvalidToken,
}

impl ChallengeError {
    /// Reads the challenges for `scheme`, `Bearer` or `DPoP`: the scheme of the request's
    /// `Authorization` header. Does not check the response's status.
    ///
    /// Several field lines mean what their combination means (RFC 9110 §5.3): a line may begin with a
    /// parameter of the challenge that an earlier line began. A malformed part ends its line, and the
    /// challenge that it stands in; the parts before it count. A quoted string therefore ends with
    /// its line.
    pub(crate) fn read(scheme: &str, headers: &HeaderMap) -> Self {
        let mut challenges = Challenges::new(scheme);
        for line in headers.get_all(WWW_AUTHENTICATE) {
            for part in Parts::new(line.as_bytes()) {
                challenges.add(part);
            }
        }
        challenges.error()
    }

    fn of(code: Value<'_>) -> Self {
        let known = [
            ("invalid_token", Self::InvalidToken),
            ("insufficient_scope", Self::InsufficientScope),
            ("invalid_request", Self::InvalidRequest),
            ("use_dpop_nonce", Self::UseNonce),
            ("invalid_dpop_proof", Self::Proof),
        ];
        let meant = known.into_iter().find(|(name, _)| code.is(name));
        meant.map_or(Self::Unspecified, |(_, error)| error)
    }
}

/// The challenges of a response, part by part.
struct Challenges<'a> {
    scheme: &'a str,
    current: Option<Challenge<'a>>,
    /// The error of the challenges before the current one.
    error: Option<ChallengeError>,
}

/// The challenge that is being read.
struct Challenge<'a> {
    has_scheme: bool,
    code: Code<'a>,
}

/// The parameter `error` of a challenge.
enum Code<'a> {
    Missing,
    Is(Value<'a>),
    /// Invalid (RFC 9110 §11.2): neither occurrence is more trustworthy.
    Repeated,
}

impl<'a> Challenges<'a> {
    fn new(scheme: &'a str) -> Self {
        Self {
            scheme,
            current: None,
            error: None,
        }
    }

    fn add(&mut self, part: Part<'a>) {
        match part {
            Part::Scheme(scheme) => {
                self.end_challenge();
                self.current = Some(Challenge {
                    has_scheme: scheme.eq_ignore_ascii_case(self.scheme.as_bytes()),
                    code: Code::Missing,
                });
            }
            Part::Parameter(name, value) if name.eq_ignore_ascii_case(b"error") => {
                if let Some(challenge) = &mut self.current {
                    challenge.code = match challenge.code {
                        Code::Missing => Code::Is(value),
                        Code::Is(_) | Code::Repeated => Code::Repeated,
                    };
                }
            }
            Part::Parameter(..) | Part::Token68 => {}
            Part::Malformed => self.end_challenge(),
        }
    }

    fn end_challenge(&mut self) {
        let error = self.current.take().map(|challenge| match challenge.code {
            _ if !challenge.has_scheme => ChallengeError::OtherScheme,
            Code::Is(code) => ChallengeError::of(code),
            Code::Missing | Code::Repeated => ChallengeError::Unspecified,
        });
        self.error = self.error.max(error);
    }

    fn error(mut self) -> ChallengeError {
        self.end_challenge();
        self.error.unwrap_or(ChallengeError::Unspecified)
    }
}

/// Codes of gRPC statuses.
pub(crate) mod grpc_code {
    pub(crate) const OK: u32 = 0;
    pub(crate) const UNKNOWN: u32 = 2;
    pub(crate) const PERMISSION_DENIED: u32 = 7;
    pub(crate) const UNAUTHENTICATED: u32 = 16;
}

/// Returns the code of a gRPC status, from the headers of a response without a message
/// ("trailers-only") or from trailers. Leading zeros and blanks around the number are ignored. A
/// status that is no number is `UNKNOWN`, as for gRPC's clients.
pub(crate) fn grpc_status(headers: &HeaderMap) -> Option<u32> {
    let digits = headers.get("grpc-status")?.as_bytes().trim_ascii();
    let add = |code: u32, digit: &u8| match digit {
        b'0'..=b'9' => code.checked_mul(10)?.checked_add(u32::from(digit - b'0')),
        _ => None,
    };
    let code = match digits {
        [] => None,
        digits => digits.iter().try_fold(0, add),
    };
    Some(code.unwrap_or(grpc_code::UNKNOWN))
}

/// Returns whether these are the headers of a gRPC request or response, by their content type, in
/// any case. gRPC-Web (`application/grpc-web`) is gRPC, too: its URI proves as little, and its
/// responses have the same status in their headers.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    // most content types begin with `application/`: the second part is compared first
    kind.and_then(|kind| kind.split_at_checked(b"application/".len()))
        .is_some_and(|(kind, subtype)| {
            let subtype = subtype.get(..b"grpc".len());
            subtype.is_some_and(|subtype| subtype.eq_ignore_ascii_case(b"grpc"))
                && kind.eq_ignore_ascii_case(b"application/")
        })
}

/// Returns whether no part of a `WWW-Authenticate` field line is malformed.
#[cfg(fuzzing)]
pub(crate) fn is_well_formed(line: &[u8]) -> bool {
    Parts::new(line).all(|part| !matches!(part, Part::Malformed))
}

#[cfg(test)]
mod field_lines;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
