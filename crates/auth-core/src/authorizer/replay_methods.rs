//! The requests that are replayed after a rejection.

use http::Method;

/// The requests that are replayed, once, after an API has rejected their token.
///
/// In every case a request is replayed only if its body can be sent again. The response to a request that
/// is not replayed is delivered when another token has arrived, and after one second at the latest: the
/// next request carries that token.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReplayMethods {
    /// All requests: an API that rejects the token of a request has not carried the request out.
    /// The default.
    #[default]
    Any,
    /// Only requests that may be carried out twice without harm
    /// ([RFC 9110 §9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)): `GET`, `HEAD`,
    /// `PUT`, `DELETE`, `OPTIONS` and `TRACE`. All gRPC requests are `POST`.
    Idempotent,
    /// No request. The token is replaced for later requests.
    None,
}

impl ReplayMethods {
    #[inline]
    pub(super) fn contain(self, method: Option<&Method>) -> bool {
        match self {
            Self::Any => true,
            Self::Idempotent => method.is_some_and(Method::is_idempotent),
            Self::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotent_methods_only() {
        let contain = |methods: ReplayMethods, method| methods.contain(Some(method));
        assert!(contain(ReplayMethods::Any, &Method::POST));
        assert!(contain(ReplayMethods::Idempotent, &Method::PUT));
        assert!(!contain(ReplayMethods::Idempotent, &Method::POST));
        assert!(!contain(ReplayMethods::None, &Method::GET));
    }
}
