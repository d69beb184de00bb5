//! Client authentication: RFC 6749 §2.3.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;

use super::{parameters::Parameters, token_error::TokenError};

/// A method of client authentication that an authorization server can accept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientAuthenticationMethod {
    /// HTTP Basic. The id and the secret are form-decoded after the split at the first colon, as
    /// [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1) requires.
    ClientSecretBasic,
    /// HTTP Basic. The id and the secret are not decoded. No RFC describes this method, and many
    /// servers use it.
    ClientSecretBasicRaw,
    /// `client_id` and `client_secret` in the form.
    ClientSecretPost,
}

use ClientAuthenticationMethod::{ClientSecretBasic, ClientSecretBasicRaw, ClientSecretPost};

const BAD_CREDENTIALS: &str =
    "unknown client id, wrong secret, or a method of client authentication that is not accepted";

/// Checks that the request authenticates a registered client by exactly one accepted method.
pub(super) fn authenticate(
    headers: &HeaderMap,
    form: &Parameters,
    methods: &[ClientAuthenticationMethod],
    clients: &HashMap<String, String>,
) -> Result<(), TokenError> {
    let known = |(id, secret): &(String, String)| clients.get(id) == Some(secret);
    let mut authorization = headers.get_all(AUTHORIZATION).iter();
    match (authorization.next(), form.value("client_secret")) {
        (Some(_), Some(_)) => Err(TokenError::invalid_request(
            "expected one method of client authentication, got the Authorization header and client_secret",
        )),
        (Some(_), None) if authorization.next().is_some() => Err(TokenError::invalid_request(
            "expected one Authorization header, got several",
        )),
        (Some(header), None) => {
            let (id, _) = basic_credentials(header, methods)
                .into_iter()
                .find(known)
                .ok_or_else(|| TokenError::invalid_client(BAD_CREDENTIALS).with_challenge())?;
            match form.value("client_id") {
                Some(other) if other != id => Err(TokenError::invalid_request(
                    "client_id differs from the client of the Authorization header",
                )),
                _ => Ok(()),
            }
        }
        (None, Some(secret)) => {
            let id = form.value("client_id").unwrap_or_default();
            if methods.contains(&ClientSecretPost) && known(&(id.to_owned(), secret.to_owned())) {
                Ok(())
            } else {
                Err(TokenError::invalid_client(BAD_CREDENTIALS))
            }
        }
        (None, None) => Err(TokenError::invalid_client(
            "expected an Authorization header or client_secret, got neither",
        )),
    }
}

/// Returns the id and the secret in the header, decoded by each accepted method.
fn basic_credentials(
    header: &HeaderValue,
    methods: &[ClientAuthenticationMethod],
) -> Vec<(String, String)> {
    let Some((id, secret)) = basic_pair(header) else {
        return Vec::new();
    };
    let mut credentials = Vec::new();
    if methods.contains(&ClientSecretBasic) {
        credentials.extend(form_decoded(&id).zip(form_decoded(&secret)));
    }
    if methods.contains(&ClientSecretBasicRaw) {
        credentials.push((id, secret));
    }
    credentials
}

fn basic_pair(header: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let (id, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn form_decoded(value: &str) -> Option<String> {
    let value = value.replace('+', " ");
    let decoded = percent_decode_str(&value).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the result of `basic_credentials` as text.
    fn read(credentials: &str, methods: &[ClientAuthenticationMethod]) -> Vec<String> {
        let header = format!("basic {}", BASE64_STANDARD.encode(credentials));
        let header = HeaderValue::from_str(&header).unwrap();
        let read = basic_credentials(&header, methods).into_iter();
        read.map(|(id, secret)| format!("{id} / {secret}"))
            .collect()
    }

    #[test]
    fn basic_decodes_id_and_secret_and_raw_does_not() {
        let encoded = "a%3Ab:%20%25%26%2B%C2%A3+";
        assert_eq!(read(encoded, &[ClientSecretBasic]), ["a:b /  %&+£ "]);
        assert_eq!(
            read(encoded, &[ClientSecretBasicRaw]),
            ["a%3Ab / %20%25%26%2B%C2%A3+"]
        );
        assert_eq!(read("a:b:c", &[ClientSecretBasicRaw]), ["a / b:c"]);
        let both = [ClientSecretBasicRaw, ClientSecretBasic];
        assert_eq!(read("a:+", &both), ["a /  ", "a / +"]);
    }

    #[test]
    fn a_header_that_is_not_basic_has_no_credentials() {
        assert!(read("no colon", &[ClientSecretBasic]).is_empty());
        assert!(read("a:b", &[ClientSecretPost]).is_empty());
        assert!(read("a:%FF", &[ClientSecretBasic]).is_empty());
        for header in ["Basic", "Basic !", "Bearer YTpi"] {
            let header = HeaderValue::from_static(header);
            assert!(basic_credentials(&header, &[ClientSecretBasic]).is_empty());
        }
    }
}
