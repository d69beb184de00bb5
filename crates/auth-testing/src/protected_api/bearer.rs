//! The token of a request: RFC 6750 §2.1.

use http::{HeaderMap, header::AUTHORIZATION};

use super::refusal::Refusal;

/// Takes the token out of the one `Authorization` header. Its syntax is not looked at: what was
/// not issued is unknown.
pub(super) fn bearer_token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refusal::NoToken);
    };
    if values.next().is_some() {
        return Err(Refusal::InvalidRequest);
    }
    let value = value.to_str().map_err(|_| Refusal::InvalidRequest)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    match token.trim_start_matches(' ') {
        _ if !scheme.eq_ignore_ascii_case("Bearer") => Err(Refusal::NoToken),
        "" => Err(Refusal::InvalidRequest),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn one_header_with_the_bearer_scheme() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer_token(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&["bEARER  abc"]), Ok("abc".to_owned()));
        assert_eq!(read(&[]), Err(Refusal::NoToken));
        assert_eq!(read(&["Basic abc"]), Err(Refusal::NoToken));
        assert_eq!(read(&["Bearer"]), Err(Refusal::InvalidRequest));
        assert_eq!(
            read(&["Bearer a", "Bearer a"]),
            Err(Refusal::InvalidRequest)
        );
    }
}
