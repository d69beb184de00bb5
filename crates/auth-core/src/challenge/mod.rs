//! Why an API refuses a token: its challenges, RFC 6750 §3, and a gRPC status.

mod parser;

use http::{
    HeaderMap,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};

use parser::{Challenge, Challenges};

/// What a response says of the token that was sent, in its challenges for the scheme that was used.
///
/// The order is how much each says: of several challenges the one that says most counts, wherever
/// it stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Refusal {
    /// There are challenges, but none for the scheme that was used: it is not about the token.
    OtherScheme,
    /// No challenge, or none with an error code that is known here.
    Unspecified,
    /// The `DPoP` proof is refused, or lacks a nonce (RFC 9449 §7.1, §9); the token is not.
    Proof,
    /// The request is malformed, RFC 6750 §3.1.
    InvalidRequest,
    /// The token is good, but not for this, RFC 6750 §3.1.
    InsufficientScope,
    /// The token is expired, revoked or otherwise void, RFC 6750 §3.1.
    InvalidToken,
}

impl Refusal {
    /// Reads the challenges for `scheme`, `Bearer` or `DPoP`: the one of the `Authorization` header
    /// that was sent. The status is not looked at: whether there is a refusal is another question.
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
        meant.map_or(Self::Unspecified, |(_, refusal)| refusal)
    }
}

/// The status of a gRPC response in its headers, which is where it stands when there is no message
/// ("trailers-only"). Its HTTP status is 200.
pub(crate) fn grpc_status(headers: &HeaderMap) -> Option<&[u8]> {
    // most responses are none of gRPC's, and its header's name takes longer to look up
    if !is_grpc(headers) {
        return None;
    }
    Some(headers.get("grpc-status")?.as_bytes())
}

/// Whether these are the headers of a gRPC request or response.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
