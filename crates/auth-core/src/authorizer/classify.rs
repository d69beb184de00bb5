//! Classifies responses: whether the API accepted or rejected the token of the request.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};

use super::{
    head::{Redirect, ResponseHead},
    rejection_statuses::RejectionStatuses,
    replay_methods::ReplayMethods,
};
use crate::{
    cache::RejectionKind,
    challenge::{self, ChallengeError, grpc_code, grpc_status},
};

/// Classifies responses, and decides which requests are replayed after a rejection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Classifier {
    pub(super) statuses: RejectionStatuses,
    pub(super) methods: ReplayMethods,
}

/// Whether the API accepted the token of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Classification {
    Accepted,
    Rejected(RejectionKind),
    /// The response to a gRPC request has its status in the trailers, after the body.
    StatusFollows,
    /// The proof lacks the API's nonce (RFC 9449 §9). The token is not rejected.
    NonceDemanded,
    /// The response is not about the token.
    Unknown,
}

impl Classifier {
    #[inline]
    pub(super) fn permits_replay(self, method: Option<&Method>) -> bool {
        self.methods.contain(method)
    }

    /// Classifies a response. `sent` is the `Authorization` header of the request. `is_grpc`: it was
    /// a gRPC request. Only such a request is judged by a gRPC status.
    #[inline]
    pub(super) fn classify(
        self,
        response: &ResponseHead<'_>,
        sent: &HeaderValue,
        is_grpc: bool,
    ) -> Classification {
        let status = response.status;
        if response.redirect == Redirect::ToAnotherOrigin {
            return Classification::Unknown;
        }
        if status.is_client_error() {
            return self.classify_client_error(response, sent, is_grpc);
        }
        if is_grpc {
            return classify_grpc(status, response.headers, sent);
        }
        by_status(status)
    }

    #[cold]
    fn classify_client_error(
        self,
        response: &ResponseHead<'_>,
        sent: &HeaderValue,
        is_grpc: bool,
    ) -> Classification {
        let (status, headers) = (response.status, response.headers);
        let error = challenge_error(headers, sent);
        match error {
            ChallengeError::InvalidToken
            | ChallengeError::InsufficientScope
            | ChallengeError::UseNonce => of_error(error),
            _ if self.statuses.contain(status) => of_error(error),
            _ if is_grpc => classify_grpc(status, headers, sent),
            _ => by_status(status),
        }
    }
}

/// Classifies a response that states nothing about the token, by its HTTP status.
#[inline]
fn by_status(status: StatusCode) -> Classification {
    if status.as_u16() < 400 || status == StatusCode::FORBIDDEN {
        return Classification::Accepted;
    }
    Classification::Unknown
}

/// Classifies the response to a gRPC request, by the gRPC status in its headers if it is there.
fn classify_grpc(status: StatusCode, headers: &HeaderMap, sent: &HeaderValue) -> Classification {
    match grpc_status(headers) {
        // a gateway may respond with a page of its own
        Some(_) if headers.contains_key(CONTENT_TYPE) && !challenge::is_grpc(headers) => {
            Classification::Unknown
        }
        Some(code) => classify_grpc_status(code, headers, sent),
        None if status.is_success() => Classification::StatusFollows,
        None => by_status(status),
    }
}

/// Classifies the status of a gRPC response. `fields` are the headers or the trailers that contain
/// it. They may contain a challenge as well.
pub(super) fn classify_grpc_status(
    code: u32,
    fields: &HeaderMap,
    sent: &HeaderValue,
) -> Classification {
    match code {
        grpc_code::UNAUTHENTICATED => of_error(challenge_error(fields, sent)),
        grpc_code::OK | grpc_code::PERMISSION_DENIED => Classification::Accepted,
        _ => Classification::Unknown,
    }
}

/// Reads the challenges for the scheme of the header that was sent.
#[cold]
fn challenge_error(headers: &HeaderMap, sent: &HeaderValue) -> ChallengeError {
    let scheme = sent.to_str().ok().and_then(|sent| sent.split(' ').next());
    ChallengeError::read(scheme.unwrap_or_default(), headers)
}

/// Classifies a response whose status rejects the token unless its challenges say otherwise.
#[cold]
fn of_error(error: ChallengeError) -> Classification {
    match error {
        ChallengeError::InvalidToken => Classification::Rejected(RejectionKind::Explicit),
        // many APIs send challenges of other schemes only, whichever scheme the request used
        ChallengeError::Unspecified | ChallengeError::OtherScheme => {
            Classification::Rejected(RejectionKind::Bare)
        }
        ChallengeError::InsufficientScope => Classification::Accepted,
        ChallengeError::UseNonce => Classification::NonceDemanded,
        ChallengeError::InvalidRequest | ChallengeError::Proof => Classification::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use http::header::WWW_AUTHENTICATE;

    use super::*;

    const BARE: Classification = Classification::Rejected(RejectionKind::Bare);
    const EXPLICIT: Classification = Classification::Rejected(RejectionKind::Explicit);
    const BEARER: HeaderValue = HeaderValue::from_static("Bearer abc");

    fn classify(classifier: Classifier, status: u16, challenge: &str) -> Classification {
        let mut headers = HeaderMap::new();
        if !challenge.is_empty() {
            headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        classifier.classify(&ResponseHead::new(status, &headers), &BEARER, false)
    }

    #[test]
    fn rfc6750_3_1_of_the_three_codes_only_invalid_token_rejects_the_token() {
        let of = |challenge| classify(Classifier::default(), 401, challenge);
        assert_eq!(of("Bearer error=\"invalid_token\""), EXPLICIT);
        assert_eq!(
            of("Bearer error=\"insufficient_scope\""),
            Classification::Accepted
        );
        assert_eq!(
            of("Bearer error=\"invalid_request\""),
            Classification::Unknown
        );
    }

    #[test]
    fn rfc9449_9_a_demanded_nonce_does_not_reject_the_token() {
        let dpop = HeaderValue::from_static("DPoP abc");
        for (challenge, expected) in [
            (
                "DPoP error=\"use_dpop_nonce\"",
                Classification::NonceDemanded,
            ),
            ("DPoP error=\"invalid_dpop_proof\"", Classification::Unknown),
            ("DPoP error=\"invalid_token\"", EXPLICIT),
            (
                "DPoP error=\"use_dpop_nonce\", DPoP error=\"invalid_token\"",
                EXPLICIT,
            ),
            ("Bearer error=\"use_dpop_nonce\"", BARE),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
            let head = ResponseHead::new(StatusCode::UNAUTHORIZED, &headers);
            let classification = Classifier::default().classify(&head, &dpop, false);
            assert_eq!(classification, expected, "{challenge}");
        }
    }

    #[test]
    fn signicat_a_401_without_a_challenge_is_a_rejection() {
        for challenge in ["", "Bearer", "Basic realm=\"api\"", "Unauthorized"] {
            assert_eq!(classify(Classifier::default(), 401, challenge), BARE);
        }
    }

    #[test]
    fn a_403_accepts_the_token_and_other_errors_do_not_tell() {
        for (status, expected) in [
            (200, Classification::Accepted),
            (304, Classification::Accepted),
            (403, Classification::Accepted),
            (400, Classification::Unknown),
            (429, Classification::Unknown),
            (503, Classification::Unknown),
        ] {
            assert_eq!(
                classify(Classifier::default(), status, ""),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn another_status_may_be_a_rejection() {
        let statuses = [StatusCode::UNAUTHORIZED, StatusCode::from_u16(419).unwrap()];
        let classifier = Classifier {
            statuses: RejectionStatuses::new(&statuses).unwrap(),
            ..Classifier::default()
        };
        assert_eq!(classify(classifier, 419, ""), BARE);
        assert_eq!(classify(classifier, 401, ""), BARE);
        assert_eq!(
            classify(Classifier::default(), 419, ""),
            Classification::Unknown
        );
    }

    #[test]
    fn grpc_status_16_in_the_headers_is_a_rejection() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        let of = |headers: &HeaderMap| {
            Classifier::default().classify(
                &ResponseHead::new(StatusCode::OK, headers),
                &BEARER,
                true,
            )
        };
        assert_eq!(of(&headers), Classification::StatusFollows);
        for (status, expected) in [
            ("16", BARE),
            ("0", Classification::Accepted),
            ("7", Classification::Accepted),
            ("14", Classification::Unknown),
            ("13", Classification::Unknown),
        ] {
            headers.insert("grpc-status", HeaderValue::from_static(status));
            assert_eq!(of(&headers), expected, "{status}");
        }
    }

    #[test]
    fn a_response_from_another_origin_is_not_about_the_token() {
        let headers = HeaderMap::new();
        for (redirect, expected) in [
            (Redirect::None, BARE),
            (Redirect::WithinOrigin, BARE),
            (Redirect::ToAnotherOrigin, Classification::Unknown),
        ] {
            let head =
                ResponseHead::new(StatusCode::UNAUTHORIZED, &headers).with_redirect(redirect);
            let classification = Classifier::default().classify(&head, &BEARER, false);
            assert_eq!(classification, expected, "{redirect:?}");
        }
    }
}
