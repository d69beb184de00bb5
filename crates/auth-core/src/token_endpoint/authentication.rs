//! The client's authentication at the token endpoint (RFC 6749 §2.3). The method is always
//! explicit, never probed.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::{ClientSecret, Error, SecretString, secret::credentials_header};

/// All but the unreserved characters of RFC 3986. A space becomes `%20`, because one server is
/// known not to decode `+`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The client's authentication at the token endpoint
/// ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)), by the names of the
/// IANA registry.
///
/// ```
/// use auth_core::{ClientAuthentication, ClientSecret};
///
/// let from_value = ClientAuthentication::client_secret_basic("s3cr3t");
/// # let file = std::env::temp_dir().join("auth-core-doc-secret");
/// # std::fs::write(&file, "s3cr3t")?;
/// let from_file = ClientAuthentication::client_secret_post(ClientSecret::from_file(file)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientAuthentication {
    pub(crate) method: Method,
    pub(crate) secret: ClientSecret,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    Basic,
    BasicRaw,
    Post,
}

impl From<ClientSecret> for ClientAuthentication {
    /// Authenticates by `client_secret_basic`.
    fn from(secret: ClientSecret) -> Self {
        Self::client_secret_basic(secret)
    }
}

impl Method {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::BasicRaw => "client_secret_basic_raw",
            Self::Post => "client_secret_post",
        }
    }
}

impl ClientAuthentication {
    /// `client_secret_basic`: HTTP Basic. Id and secret are each percent-encoded first, as RFC 6749
    /// §2.3.1 requires.
    pub fn client_secret_basic(secret: impl Into<ClientSecret>) -> Self {
        Self::new(Method::Basic, secret)
    }

    /// `client_secret_basic` without the percent-encoding, for servers that do not decode it: plain
    /// base64 of `id:secret`. The id must not contain a `:`.
    pub fn client_secret_basic_raw(secret: impl Into<ClientSecret>) -> Self {
        Self::new(Method::BasicRaw, secret)
    }

    /// `client_secret_post`: `client_id` and `client_secret` in the request's body.
    pub fn client_secret_post(secret: impl Into<ClientSecret>) -> Self {
        Self::new(Method::Post, secret)
    }

    pub(crate) fn new(method: Method, secret: impl Into<ClientSecret>) -> Self {
        Self {
            method,
            secret: secret.into(),
        }
    }

    /// Returns every form in which the secret is sent, to be redacted from texts of a server or of a
    /// transport.
    pub(crate) fn forms(&self, client_id: &str, secret: &SecretString) -> Vec<SecretString> {
        let secret = secret.expose();
        let pair = |method| SecretString::from(credentials(method, client_id, secret));
        let percent = Zeroizing::new(utf8_percent_encode(secret, ENCODED).to_string());
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let form = Zeroizing::new(form);
        let mut forms = vec![
            SecretString::from(secret),
            pair(Method::Basic),
            pair(Method::BasicRaw),
        ];
        // they differ from the secret in base64
        for encoded in [&percent, &form] {
            let lower = Zeroizing::new(lower_case_escapes(encoded));
            for form in [encoded, &lower] {
                if !forms.iter().any(|known| known.expose() == form.as_str()) {
                    forms.push(SecretString::from(form.as_str()));
                }
            }
        }
        forms
    }

    /// Checks what can be known before the first request.
    pub(crate) fn check(&self, client_id: &str) -> Result<(), Error> {
        if self.method == Method::BasicRaw && client_id.contains(':') {
            return Err(Error::configuration(format!(
                "client id {client_id:?}: expected one without ':' for client_secret_basic_raw, \
                 where the first ':' ends the id; use client_secret_basic or client_secret_post"
            )));
        }
        let place = format!("client secret of {}()", self.method.name());
        self.secret.check(&place)
    }
}

/// Returns an encoded text with the digits of its escapes in lower case.
fn lower_case_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(part.len().min(2));
        lower.push('%');
        lower.push_str(&digits.to_ascii_lowercase());
        lower.push_str(rest);
    }
    lower
}

impl Method {
    /// Returns the `Authorization` header of HTTP Basic. `None` if it cannot be a header.
    pub(crate) fn basic_header(self, client_id: &str, secret: &str) -> Option<HeaderValue> {
        let credentials = Zeroizing::new(credentials(self, client_id, secret));
        credentials_header("Basic", &credentials)
    }
}

/// Returns id and secret in base64.
fn credentials(method: Method, client_id: &str, secret: &str) -> String {
    let pair = Zeroizing::new(if method == Method::BasicRaw {
        format!("{client_id}:{secret}")
    } else {
        let secret = Zeroizing::new(utf8_percent_encode(secret, ENCODED).to_string());
        format!("{}:{}", utf8_percent_encode(client_id, ENCODED), *secret)
    });
    BASE64_STANDARD.encode(pair.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(method: Method, id: &str, secret: &str) -> String {
        let header = method.basic_header(id, secret).unwrap();
        assert!(header.is_sensitive());
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap()
    }

    #[test]
    fn rfc6749_2_3_1_basic_vectors() {
        for (id, secret, encoded) in [
            ("s6BhdRkqt3", "gX1fBat3bV", "czZCaGRSa3F0MzpnWDFmQmF0M2JW"),
            ("clientId", "clientSecret", "Y2xpZW50SWQ6Y2xpZW50U2VjcmV0"),
            (
                "sandbox-round-apple-123",
                "fakeCl13n7S3Cr3T1234567890",
                "c2FuZGJveC1yb3VuZC1hcHBsZS0xMjM6ZmFrZUNsMTNuN1MzQ3IzVDEyMzQ1Njc4OTA=",
            ),
        ] {
            for method in [Method::Basic, Method::BasicRaw] {
                let header = method.basic_header(id, secret).unwrap();
                assert_eq!(header, format!("Basic {encoded}"));
            }
        }
    }

    #[test]
    fn rfc6749_appendix_b_id_and_secret_are_encoded_separately() {
        assert_eq!(
            decoded(Method::Basic, " %&+£€", "a:b"),
            "%20%25%26%2B%C2%A3%E2%82%AC:a%3Ab"
        );
        assert_eq!(decoded(Method::BasicRaw, " %&+£€", "a:b"), " %&+£€:a:b");
    }

    #[test]
    fn an_id_with_a_colon_is_an_error_for_raw_basic() {
        let error = ClientAuthentication::client_secret_basic_raw("s")
            .check("we:ird")
            .unwrap_err();
        assert!(error.to_string().contains("without ':'"), "{error}");
        assert!(
            ClientAuthentication::client_secret_basic("s")
                .check("we:ird")
                .is_ok()
        );
    }

    #[test]
    fn an_empty_secret_is_an_error() {
        let error = ClientAuthentication::client_secret_post("")
            .check("id")
            .unwrap_err();
        assert!(error.to_string().contains("client secret"), "{error}");
    }
}
