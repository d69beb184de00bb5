//! The form of a token request.

use bytes::Bytes;
use http::{HeaderMap, Request, header::CONTENT_TYPE};

use super::token_error::TokenError;

const FORM: &str = "application/x-www-form-urlencoded";

/// Parameters that a request may repeat (RFC 8707 §2, RFC 8693 §2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// The parameters of a token request. Each has a value, and most occur once (RFC 6749 §3.2).
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(request: &Request<Bytes>) -> Result<Self, TokenError> {
        if !is_form(request.headers()) {
            return Err(TokenError::invalid_request(
                "Content-Type: expected application/x-www-form-urlencoded",
            ));
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(request.body()) {
            let repeated = parameters.iter().any(|(known, _)| *known == name);
            if repeated && !REPEATABLE.contains(&&*name) {
                return Err(TokenError::invalid_request(
                    "expected each parameter once, got one several times",
                ));
            }
            parameters.push((name.into_owned(), value.into_owned()));
        }
        parameters.retain(|(_, value)| !value.is_empty());
        Ok(Self(parameters))
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| {
        let media_type = value.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case(FORM)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content_type: &str, body: &'static str) -> Result<Parameters, TokenError> {
        let request = Request::builder().header(CONTENT_TYPE, content_type);
        Parameters::parse(&request.body(Bytes::from(body)).unwrap())
    }

    #[test]
    fn values_are_decoded_and_parameters_without_one_are_left_out() {
        let form = parse(
            "Application/X-WWW-Form-Urlencoded; charset=utf-8",
            "a=b+%26&c=",
        )
        .unwrap();
        assert_eq!(form.value("a"), Some("b &"));
        assert_eq!(form.value("c"), None);
    }

    #[test]
    fn only_resource_and_audience_may_be_repeated() {
        assert!(parse(FORM, "resource=a&resource=b&audience=c&audience=d").is_ok());
        assert!(parse(FORM, "scope=a&scope=b").is_err());
        assert!(parse(FORM, "scope=&scope=b").is_err());
    }

    #[test]
    fn another_content_type_is_an_invalid_request() {
        assert!(parse("application/json", "{}").is_err());
        assert!(Parameters::parse(&Request::new(Bytes::new())).is_err());
    }
}
