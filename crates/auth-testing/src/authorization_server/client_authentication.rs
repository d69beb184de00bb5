//! Who asks for a token: RFC 6749 §2.3.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;

use super::{parameters::Parameters, token_error::TokenError};

/// A way of client authentication that an authorization server accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientAuthenticationMethod {
    /// HTTP Basic; id and secret are form-decoded after the split at the first colon, as
    /// [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1) says.
    ClientSecretBasic,
    /// HTTP Basic whose id and secret are taken as they stand. Not in any RFC, but what many
    /// servers do.
    ClientSecretBasicRaw,
    /// `client_id` and `client_secret` in the form.
    ClientSecretPost,
}

use ClientAuthenticationMethod::{ClientSecretBasic, ClientSecretBasicRaw, ClientSecretPost};

/// Checks that exactly one accepted method names a client and its secret.
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
            "more than one method of client authentication",
        )),
        (Some(_), None) if authorization.next().is_some() => Err(TokenError::invalid_request(
            "more than one Authorization header",
        )),
        (Some(header), None) => {
            let (id, _) = basic_credentials(header, methods)
                .into_iter()
                .find(known)
                .ok_or_else(|| {
                    TokenError::invalid_client("no such client and secret by an accepted method")
                        .with_challenge()
                })?;
            match form.value("client_id") {
                Some(other) if other != id => Err(TokenError::invalid_request(
                    "client_id names another client",
                )),
                _ => Ok(()),
            }
        }
        (None, Some(secret)) => {
            let id = form.value("client_id").unwrap_or_default();
            if methods.contains(&ClientSecretPost) && known(&(id.to_owned(), secret.to_owned())) {
                Ok(())
            } else {
                Err(TokenError::invalid_client(
                    "no such client and secret by an accepted method",
                ))
            }
        }
        (None, None) => Err(TokenError::invalid_client("no client authentication")),
    }
}

/// What the header says, read in each accepted way.
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

    /// Of `basic_credentials`, as text.
    fn read(credentials: &str, methods: &[ClientAuthenticationMethod]) -> Vec<String> {
        let header = format!("basic {}", BASE64_STANDARD.encode(credentials));
        let header = HeaderValue::from_str(&header).unwrap();
        let read = basic_credentials(&header, methods).into_iter();
        read.map(|(id, secret)| format!("{id} / {secret}"))
            .collect()
    }

    #[test]
    fn basic_decodes_and_raw_does_not() {
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
    fn what_is_not_basic_names_nobody() {
        assert!(read("no colon", &[ClientSecretBasic]).is_empty());
        assert!(read("a:b", &[ClientSecretPost]).is_empty());
        assert!(read("a:%FF", &[ClientSecretBasic]).is_empty());
        for header in ["Basic", "Basic !", "Bearer YTpi"] {
            let header = HeaderValue::from_static(header);
            assert!(basic_credentials(&header, &[ClientSecretBasic]).is_empty());
        }
    }
}
