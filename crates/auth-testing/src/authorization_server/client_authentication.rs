//! Client authentication: RFC 6749 §2.3.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use percent_encoding::percent_decode_str;

use super::{client::RegisteredClient, parameters::Parameters, token_error::TokenError};
#[cfg(feature = "jose")]
use crate::assertion::{AssertionVerifier, Claims};
#[cfg(feature = "tls")]
use crate::peer_certificate::PeerCertificate;
use crate::received::Received;

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
    /// Neither credentials nor a `client_id`, as at services that exchange tokens. The JWT bearer grant
    /// permits this without a setting
    /// ([RFC 7523 §3.1](https://www.rfc-editor.org/rfc/rfc7523#section-3.1)).
    Anonymous,
}

use ClientAuthenticationMethod::{ClientSecretBasic, ClientSecretBasicRaw, ClientSecretPost};

const BAD_CREDENTIALS: &str =
    "unknown client id, wrong secret, or a method of client authentication that is not accepted";

/// A token request, as far as its client matters.
pub(super) struct ClientRequest<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) form: &'a Parameters,
    #[cfg_attr(
        not(feature = "jose"),
        expect(dead_code, reason = "only for assertions")
    )]
    pub(super) received: Received<'a>,
    #[cfg(feature = "tls")]
    pub(super) certificate: Option<&'a PeerCertificate>,
    /// Whether the grant needs no client.
    pub(super) may_be_anonymous: bool,
}

impl ClientRequest<'_> {
    /// Checks that the request authenticates a registered client by exactly one accepted method. Returns its
    /// id, or `None` if the request has neither a client nor needs one.
    pub(super) fn authenticate(
        &self,
        methods: &[ClientAuthenticationMethod],
        clients: &HashMap<String, RegisteredClient>,
    ) -> Result<Option<String>, TokenError> {
        let form = self.form;
        let in_form = form.value("client_id");
        let mut authorization = self.headers.get_all(AUTHORIZATION).iter();
        let (secret, assertion) = (form.value("client_secret"), form.value("client_assertion"));
        match (authorization.next(), secret, assertion) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                Err(TokenError::invalid_request(
                    "expected one method of client authentication, got several of the Authorization header, \
                     client_secret and client_assertion",
                ))
            }
            (Some(_), None, None) if authorization.next().is_some() => Err(
                TokenError::invalid_request("expected one Authorization header, got several"),
            ),
            (Some(header), None, None) => {
                let (id, _) = basic_credentials(header, methods)
                    .into_iter()
                    .find(|(id, secret)| has_secret(clients, id, secret))
                    .ok_or_else(|| TokenError::invalid_client(BAD_CREDENTIALS).with_challenge())?;
                match in_form {
                    Some(other) if other != id => Err(TokenError::invalid_request(
                        "client_id differs from the client of the Authorization header",
                    )),
                    _ => Ok(Some(id)),
                }
            }
            (None, Some(secret), None) => {
                let id = in_form.unwrap_or_default();
                if methods.contains(&ClientSecretPost) && has_secret(clients, id, secret) {
                    Ok(Some(id.to_owned()))
                } else {
                    Err(TokenError::invalid_client(BAD_CREDENTIALS))
                }
            }
            (None, None, Some(assertion)) => self.authenticate_by(assertion, clients).map(Some),
            (None, None, None) => match in_form {
                Some(id) if matches!(clients.get(id), Some(RegisteredClient::Public)) => {
                    Ok(Some(id.to_owned()))
                }
                #[cfg(feature = "tls")]
                Some(id) if self.certificate_of(id, clients).is_some() => {
                    let checked = self.certificate_of(id, clients).transpose();
                    let checked = checked.map_err(|fault| {
                        TokenError::invalid_client(format!("client certificate: {fault}"))
                    });
                    checked.map(|_| Some(id.to_owned()))
                }
                None if self.may_be_anonymous
                    || methods.contains(&ClientAuthenticationMethod::Anonymous) =>
                {
                    Ok(None)
                }
                _ => Err(TokenError::invalid_client(
                    "expected an Authorization header, client_secret or client_assertion, got none of them",
                )),
            },
        }
    }

    /// Checks the certificate of a client that authenticates by one. `None` for other clients.
    #[cfg(feature = "tls")]
    fn certificate_of(
        &self,
        id: &str,
        clients: &HashMap<String, RegisteredClient>,
    ) -> Option<Result<(), String>> {
        clients.get(id)?.check_certificate(self.certificate)
    }

    /// Returns the id of the client that an assertion authenticates.
    #[cfg(feature = "jose")]
    fn authenticate_by(
        &self,
        assertion: &str,
        clients: &HashMap<String, RegisteredClient>,
    ) -> Result<String, TokenError> {
        let denied = |fault: String| {
            Err(TokenError::invalid_client(format!(
                "client_assertion: {fault}"
            )))
        };
        let (id, verifier) = match self.client_of(assertion, clients) {
            Ok(client) => client,
            Err(fault) => return denied(fault),
        };
        let (expected, got) = (
            verifier.expected_type(),
            self.form.value("client_assertion_type"),
        );
        if got != Some(expected) {
            let got = got.unwrap_or("none");
            return Err(TokenError::invalid_client(format!(
                "client_assertion_type: expected {expected}, got {got}"
            )));
        }
        match verifier.verify(assertion, Some(id), &self.received) {
            Ok(_) => Ok(id.to_owned()),
            Err(fault) => denied(fault),
        }
    }

    /// Returns the client that an assertion is about: that of the form, or the one whose issuer and subject it
    /// names.
    #[cfg(feature = "jose")]
    fn client_of<'c>(
        &self,
        assertion: &str,
        clients: &'c HashMap<String, RegisteredClient>,
    ) -> Result<(&'c str, &'c AssertionVerifier), String> {
        let claims = Claims::read(assertion)?;
        let mut verifiers: Vec<_> = clients
            .iter()
            .filter_map(|(id, client)| Some((id.as_str(), client.verifier()?)))
            .collect();
        verifiers.sort_by_key(|(id, _)| *id);
        if let Some(in_form) = self.form.value("client_id") {
            return verifiers
                .into_iter()
                .find(|(id, _)| *id == in_form)
                .ok_or_else(|| {
                    format!("expected the client_id of a client with assertions, got {in_form}")
                });
        }
        let text = |name: &str| claims.text(name).unwrap_or_default();
        let (issuer, subject) = (text("iss"), text("sub"));
        verifiers.retain(|(id, verifier)| verifier.is_of_issuer(issuer, Some(id)));
        let exact = verifiers
            .iter()
            .find(|(id, verifier)| verifier.is_of_subject(subject, Some(id)));
        // the client of another subject, so that the description can say which one is expected
        match exact.or(verifiers.first()) {
            Some(client) => Ok(*client),
            None => Err(format!(
                "iss: expected the id of a client with assertions, or the issuer that one trusts, got {issuer}"
            )),
        }
    }

    #[cfg(not(feature = "jose"))]
    fn authenticate_by(
        &self,
        _: &str,
        _: &HashMap<String, RegisteredClient>,
    ) -> Result<String, TokenError> {
        Err(TokenError::invalid_client(
            "client_assertion: this server verifies none; the feature jose of auth-testing is not enabled",
        ))
    }
}

fn has_secret(clients: &HashMap<String, RegisteredClient>, id: &str, secret: &str) -> bool {
    let client = clients.get(id);
    client.is_some_and(|client| client.has_secret(secret))
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
