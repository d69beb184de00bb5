//! What counts as a refusal of the token, and which requests are sent again after one.

use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::head::ResponseHead;
use crate::{
    Error,
    challenge::{Refusal, grpc_status},
};

/// gRPC's statuses.
mod grpc {
    pub(super) const OK: &[u8] = b"0";
    pub(super) const PERMISSION_DENIED: &[u8] = b"7";
    pub(super) const UNAUTHENTICATED: &[u8] = b"16";
}

/// Which requests are sent a second time, once, after an API has refused their token.
///
/// Whichever they are, only those whose body can be sent again are.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReplayMethods {
    /// All: a request whose authorization is refused has not been carried out. The default.
    #[default]
    Any,
    /// Only those that may be carried out twice without harm
    /// ([RFC 9110 §9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)): `GET`, `HEAD`,
    /// `PUT`, `DELETE`, `OPTIONS` and `TRACE`. gRPC's are all `POST`.
    Idempotent,
    /// None. The token is renewed for those that come next.
    None,
}

impl ReplayMethods {
    fn contain(self, method: Option<&Method>) -> bool {
        match self {
            Self::Any => true,
            Self::Idempotent => method.is_some_and(Method::is_idempotent),
            Self::None => false,
        }
    }
}

/// The statuses that may be about the token; 0 where there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statuses([u16; Self::MOST]);

impl Statuses {
    const MOST: usize = 4;

    pub(super) fn new(statuses: &[StatusCode]) -> Result<Self, Error> {
        let wrong = |what: String| {
            Error::configuration(format!(
                "refusal statuses: expected one to {} of 400 to 499, got {what}",
                Self::MOST
            ))
        };
        if statuses.is_empty() || statuses.len() > Self::MOST {
            return Err(wrong(statuses.len().to_string()));
        }
        let mut all = [0; Self::MOST];
        for (place, status) in all.iter_mut().zip(statuses) {
            if !status.is_client_error() {
                return Err(wrong(status.as_u16().to_string()));
            }
            *place = status.as_u16();
        }
        Ok(Self(all))
    }

    fn contain(self, status: StatusCode) -> bool {
        self.0.contains(&status.as_u16())
    }
}

impl Default for Statuses {
    fn default() -> Self {
        Self([StatusCode::UNAUTHORIZED.as_u16(), 0, 0, 0])
    }
}

/// By what the response to a request is judged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terms {
    pub(super) statuses: Statuses,
    pub(super) methods: ReplayMethods,
}

/// What a response says of the token that its request carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Opinion {
    Accepted,
    Refused,
    None,
}

impl Terms {
    pub(super) fn permit_replay(self, method: Option<&Method>) -> bool {
        self.methods.contain(method)
    }

    /// `sent` is the `Authorization` header that was sent.
    #[inline]
    pub(super) fn opinion(self, response: &ResponseHead<'_>, sent: &HeaderValue) -> Opinion {
        let status = response.status;
        if response.is_from_elsewhere {
            return Opinion::None;
        }
        if self.statuses.contain(status) {
            return challenged(response.headers, sent);
        }
        match grpc_status(response.headers) {
            Some(grpc::UNAUTHENTICATED) => return Opinion::Refused,
            None | Some(grpc::OK | grpc::PERMISSION_DENIED) => {}
            Some(_) => return Opinion::None,
        }
        if status.as_u16() < 400 || status == StatusCode::FORBIDDEN {
            return Opinion::Accepted;
        }
        Opinion::None
    }
}

#[cold]
fn challenged(headers: &HeaderMap, sent: &HeaderValue) -> Opinion {
    let scheme = sent.to_str().ok().and_then(|sent| sent.split(' ').next());
    match Refusal::read(scheme.unwrap_or_default(), headers) {
        // challenges for other schemes only are what many an API answers to anything
        Refusal::InvalidToken | Refusal::Unspecified | Refusal::OtherScheme => Opinion::Refused,
        Refusal::InsufficientScope => Opinion::Accepted,
        Refusal::InvalidRequest | Refusal::Proof => Opinion::None,
    }
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};

    use super::*;

    const BEARER: HeaderValue = HeaderValue::from_static("Bearer abc");

    fn opinion(terms: Terms, status: u16, challenge: &str) -> Opinion {
        let mut headers = HeaderMap::new();
        if !challenge.is_empty() {
            headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        terms.opinion(&ResponseHead::new(status, &headers), &BEARER)
    }

    #[test]
    fn rfc6750_3_1_invalid_token_renews_insufficient_scope_and_invalid_request_never() {
        let of = |challenge| opinion(Terms::default(), 401, challenge);
        assert_eq!(of("Bearer error=\"invalid_token\""), Opinion::Refused);
        assert_eq!(of("Bearer error=\"insufficient_scope\""), Opinion::Accepted);
        assert_eq!(of("Bearer error=\"invalid_request\""), Opinion::None);
    }

    #[test]
    fn signicat_a_401_without_a_challenge_is_a_refusal() {
        for challenge in ["", "Bearer", "Basic realm=\"api\"", "Unauthorized"] {
            assert_eq!(opinion(Terms::default(), 401, challenge), Opinion::Refused);
        }
    }

    #[test]
    fn a_403_accepts_the_token_and_other_errors_say_nothing() {
        for (status, expected) in [
            (200, Opinion::Accepted),
            (304, Opinion::Accepted),
            (403, Opinion::Accepted),
            (400, Opinion::None),
            (429, Opinion::None),
            (503, Opinion::None),
        ] {
            assert_eq!(opinion(Terms::default(), status, ""), expected, "{status}");
        }
    }

    #[test]
    fn another_status_may_be_a_refusal() {
        let statuses = [StatusCode::UNAUTHORIZED, StatusCode::from_u16(419).unwrap()];
        let terms = Terms {
            statuses: Statuses::new(&statuses).unwrap(),
            ..Terms::default()
        };
        assert_eq!(opinion(terms, 419, ""), Opinion::Refused);
        assert_eq!(opinion(terms, 401, ""), Opinion::Refused);
        assert_eq!(opinion(Terms::default(), 419, ""), Opinion::None);
    }

    #[test]
    fn statuses_are_one_to_four_client_errors() {
        for statuses in [&[][..], &[StatusCode::OK], &[StatusCode::UNAUTHORIZED; 5]] {
            let error = Statuses::new(statuses).unwrap_err().to_string();
            assert!(error.contains("expected one to 4"), "{error}");
        }
    }

    #[test]
    fn a_stranger_says_nothing_of_the_token() {
        let headers = HeaderMap::new();
        let asked: url::Url = "https://api.example/a".parse().unwrap();
        for (by, expected) in [
            ("https://api.example:443/b", Opinion::Refused),
            ("https://other.example/", Opinion::None),
            ("http://api.example/", Opinion::None),
            ("https://api.example:8443/", Opinion::None),
        ] {
            let by: url::Url = by.parse().unwrap();
            let head = ResponseHead::new(StatusCode::UNAUTHORIZED, &headers).answered(&asked, &by);
            let opinion = Terms::default().opinion(&head, &BEARER);
            assert_eq!(opinion, expected, "{by}");
        }
    }

    #[test]
    fn grpc_status_16_in_the_headers_is_a_refusal() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        let of = |headers: &HeaderMap| {
            Terms::default().opinion(&ResponseHead::new(StatusCode::OK, headers), &BEARER)
        };
        assert_eq!(of(&headers), Opinion::Accepted);
        for (status, expected) in [
            ("16", Opinion::Refused),
            ("0", Opinion::Accepted),
            ("7", Opinion::Accepted),
            ("14", Opinion::None),
            ("13", Opinion::None),
        ] {
            headers.insert("grpc-status", HeaderValue::from_static(status));
            assert_eq!(of(&headers), expected, "{status}");
        }
    }

    #[test]
    fn idempotent_methods_only() {
        let permits = |methods, method| {
            let terms = Terms {
                methods,
                ..Terms::default()
            };
            terms.permit_replay(Some(method))
        };
        assert!(permits(ReplayMethods::Any, &Method::POST));
        assert!(permits(ReplayMethods::Idempotent, &Method::PUT));
        assert!(!permits(ReplayMethods::Idempotent, &Method::POST));
        assert!(!permits(ReplayMethods::None, &Method::GET));
    }
}
