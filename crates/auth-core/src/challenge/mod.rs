//! The reason of a rejection: the API's challenges (RFC 6750 §3), or a gRPC status.

mod parser;

use http::{
    HeaderMap,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};

use parser::{Challenge, Challenges};

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
    /// The `DPoP` proof is rejected, or lacks a nonce (RFC 9449 §7.1, §9). The token is not
    /// rejected.
    Proof,
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
    pub(crate) fn read(scheme: &str, headers: &HeaderMap) -> Self {
        headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .flat_map(|line| Challenges::new(line.as_bytes()))
            .map(|challenge| Self::of(&challenge, scheme))
            .max()
            .unwrap_or(Self::Unspecified)
    }

    fn of(challenge: &Challenge<'_>, scheme: &str) -> Self {
        if !challenge.is(scheme) {
            return Self::OtherScheme;
        }
        let Some(code) = challenge.parameter("error") else {
            return Self::Unspecified;
        };
        let known = [
            ("invalid_token", Self::InvalidToken),
            ("insufficient_scope", Self::InsufficientScope),
            ("invalid_request", Self::InvalidRequest),
            ("use_dpop_nonce", Self::Proof),
            ("invalid_dpop_proof", Self::Proof),
        ];
        let meant = known.into_iter().find(|(name, _)| code.is(name));
        meant.map_or(Self::Unspecified, |(_, error)| error)
    }
}

/// Returns the status of a gRPC response without a message ("trailers-only"), which is in its
/// headers. The HTTP status of such a response is 200.
pub(crate) fn grpc_status(headers: &HeaderMap) -> Option<&[u8]> {
    // most responses are not gRPC, and this header takes longer to look up
    if !is_grpc(headers) {
        return None;
    }
    Some(headers.get("grpc-status")?.as_bytes())
}

/// Returns whether these are the headers of a gRPC request or response.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

#[cfg(test)]
mod field_lines;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
