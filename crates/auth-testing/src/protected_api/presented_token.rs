//! The token of a request: RFC 6750 §2.1 and RFC 9449 §7.1.

use auth_core::AccessTokenType;
use http::{HeaderMap, header::AUTHORIZATION};

use super::rejection::Rejection;

/// Returns the token in the `Authorization` header, and the type by its scheme. Its syntax is not checked: a malformed token is
/// an unknown one.
pub(super) fn presented_token(headers: &HeaderMap) -> Result<(AccessTokenType, &str), Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Rejection::NoToken);
    };
    if values.next().is_some() {
        return Err(Rejection::InvalidRequest);
    }
    let value = value.to_str().map_err(|_| Rejection::InvalidRequest)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let mut types = [AccessTokenType::Bearer, AccessTokenType::Dpop].into_iter();
    let token_type = types.find(|known| scheme.eq_ignore_ascii_case(known.scheme()));
    match (token_type, token.trim_start_matches(' ')) {
        (None, _) => Err(Rejection::NoToken),
        (Some(_), "") => Err(Rejection::InvalidRequest),
        (Some(token_type), token) => Ok((token_type, token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_token_is_read_from_one_header_with_a_known_scheme() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            presented_token(&headers).map(|(token_type, token)| (token_type, token.to_owned()))
        };
        assert_eq!(
            read(&["Bearer abc"]),
            Ok((AccessTokenType::Bearer, "abc".to_owned()))
        );
        assert_eq!(
            read(&["bEARER  abc"]),
            Ok((AccessTokenType::Bearer, "abc".to_owned()))
        );
        assert_eq!(
            read(&["dpop abc"]),
            Ok((AccessTokenType::Dpop, "abc".to_owned()))
        );
        assert_eq!(read(&[]), Err(Rejection::NoToken));
        assert_eq!(read(&["Basic abc"]), Err(Rejection::NoToken));
        assert_eq!(read(&["Bearer"]), Err(Rejection::InvalidRequest));
        assert_eq!(
            read(&["Bearer a", "Bearer a"]),
            Err(Rejection::InvalidRequest)
        );
    }
}
