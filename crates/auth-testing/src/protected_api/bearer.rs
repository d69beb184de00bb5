//! The token of a request: RFC 6750 §2.1.

use http::{HeaderMap, header::AUTHORIZATION};

use super::rejection::Rejection;

/// Returns the token in the `Authorization` header. Its syntax is not checked: a malformed token is
/// an unknown one.
pub(super) fn bearer_token(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Rejection::NoToken);
    };
    if values.next().is_some() {
        return Err(Rejection::InvalidRequest);
    }
    let value = value.to_str().map_err(|_| Rejection::InvalidRequest)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    match token.trim_start_matches(' ') {
        _ if !scheme.eq_ignore_ascii_case("Bearer") => Err(Rejection::NoToken),
        "" => Err(Rejection::InvalidRequest),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_token_is_read_from_one_header_with_the_bearer_scheme() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer_token(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&["bEARER  abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&[]), Err(Rejection::NoToken));
        assert_eq!(read(&["Basic abc"]), Err(Rejection::NoToken));
        assert_eq!(read(&["Bearer"]), Err(Rejection::InvalidRequest));
        assert_eq!(
            read(&["Bearer a", "Bearer a"]),
            Err(Rejection::InvalidRequest)
        );
    }
}
