//! Classifies responses: whether the API accepted or rejected the token of the request.

use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::{
    head::{Redirect, ResponseHead},
    rejection_statuses::RejectionStatuses,
    replay_methods::ReplayMethods,
};
use crate::challenge::{ChallengeError, grpc_status};

/// gRPC's statuses.
mod grpc {
    pub(super) const OK: &[u8] = b"0";
    pub(super) const PERMISSION_DENIED: &[u8] = b"7";
    pub(super) const UNAUTHENTICATED: &[u8] = b"16";
}

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
    Rejected,
    /// The response is not about the token.
    Unknown,
}

impl Classifier {
    #[inline]
    pub(super) fn permits_replay(self, method: Option<&Method>) -> bool {
        self.methods.contain(method)
    }

    /// Classifies a response. `sent` is the `Authorization` header of the request.
    #[inline]
    pub(super) fn classify(
        self,
        response: &ResponseHead<'_>,
        sent: &HeaderValue,
    ) -> Classification {
        let status = response.status;
        if response.redirect == Redirect::ToAnotherOrigin {
            return Classification::Unknown;
        }
        if self.statuses.contain(status) {
            return classify_challenges(response.headers, sent);
        }
        match grpc_status(response.headers) {
            Some(grpc::UNAUTHENTICATED) => return Classification::Rejected,
            None | Some(grpc::OK | grpc::PERMISSION_DENIED) => {}
            Some(_) => return Classification::Unknown,
        }
        if status.as_u16() < 400 || status == StatusCode::FORBIDDEN {
            return Classification::Accepted;
        }
        Classification::Unknown
    }
}

#[cold]
fn classify_challenges(headers: &HeaderMap, sent: &HeaderValue) -> Classification {
    let scheme = sent.to_str().ok().and_then(|sent| sent.split(' ').next());
    match ChallengeError::read(scheme.unwrap_or_default(), headers) {
        // many APIs send challenges of other schemes only, whichever scheme the request used
        ChallengeError::InvalidToken
        | ChallengeError::Unspecified
        | ChallengeError::OtherScheme => Classification::Rejected,
        ChallengeError::InsufficientScope => Classification::Accepted,
        ChallengeError::InvalidRequest | ChallengeError::Proof => Classification::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};

    use super::*;

    const BEARER: HeaderValue = HeaderValue::from_static("Bearer abc");

    fn classify(classifier: Classifier, status: u16, challenge: &str) -> Classification {
        let mut headers = HeaderMap::new();
        if !challenge.is_empty() {
            headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        classifier.classify(&ResponseHead::new(status, &headers), &BEARER)
    }

    #[test]
    fn rfc6750_3_1_of_the_three_codes_only_invalid_token_rejects_the_token() {
        let of = |challenge| classify(Classifier::default(), 401, challenge);
        assert_eq!(
            of("Bearer error=\"invalid_token\""),
            Classification::Rejected
        );
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
    fn signicat_a_401_without_a_challenge_is_a_rejection() {
        for challenge in ["", "Bearer", "Basic realm=\"api\"", "Unauthorized"] {
            assert_eq!(
                classify(Classifier::default(), 401, challenge),
                Classification::Rejected
            );
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
        assert_eq!(classify(classifier, 419, ""), Classification::Rejected);
        assert_eq!(classify(classifier, 401, ""), Classification::Rejected);
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
            Classifier::default().classify(&ResponseHead::new(StatusCode::OK, headers), &BEARER)
        };
        assert_eq!(of(&headers), Classification::Accepted);
        for (status, expected) in [
            ("16", Classification::Rejected),
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
            (Redirect::None, Classification::Rejected),
            (Redirect::WithinOrigin, Classification::Rejected),
            (Redirect::ToAnotherOrigin, Classification::Unknown),
        ] {
            let head =
                ResponseHead::new(StatusCode::UNAUTHORIZED, &headers).with_redirect(redirect);
            let classification = Classifier::default().classify(&head, &BEARER);
            assert_eq!(classification, expected, "{redirect:?}");
        }
    }
}
