//! The client's authentication at the token endpoint (RFC 6749 §2.3). The method is always
//! explicit, never probed.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::{
    Assertion, AssertionContext, AssertionSource, ClientSecret, Error, SecretString,
    client_secret::Candidate, secret::credentials_header, version::Version,
};

/// All but the unreserved characters of RFC 3986. A space becomes `%20`, because one server is
/// known not to decode `+`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The assertion type of a JWT (RFC 7523 §2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

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
    method: Method,
    proof: Proof,
}

/// The proof of the client's identity.
#[derive(Clone, Debug)]
enum Proof {
    Secret(ClientSecret),
    Assertion {
        source: Arc<dyn AssertionSource>,
        assertion_type: Cow<'static, str>,
    },
    /// The client's certificate, which belongs to the transport, or nothing.
    None,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Method {
    Basic,
    BasicRaw,
    Post,
    Assertion,
    TlsClientAuth,
    SelfSignedTlsClientAuth,
    None,
}

/// The credentials of one token request.
pub(crate) struct Credentials<'a> {
    /// The proofs to try, the most likely one first.
    pub(crate) proofs: Vec<Credential<'a>>,
    pub(crate) version: Version,
}

/// A proof of the client's identity.
pub(crate) enum Credential<'a> {
    Secret(Candidate),
    Assertion {
        assertion: Assertion,
        assertion_type: &'a str,
    },
    None,
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
            Self::Assertion => "client_assertion",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::None => "none",
        }
    }

    /// Returns the names of the method in the metadata of an authorization server. Empty if they cannot
    /// tell whether it is supported.
    pub(crate) fn metadata_names(self) -> &'static [&'static str] {
        match self {
            Self::Basic | Self::BasicRaw => &["client_secret_basic"],
            Self::Post => &["client_secret_post"],
            // a file or a function does not say how its assertions are signed
            Self::Assertion => &["private_key_jwt", "client_secret_jwt"],
            Self::TlsClientAuth => &["tls_client_auth"],
            Self::SelfSignedTlsClientAuth => &["self_signed_tls_client_auth"],
            // not required where the grant proves the client
            Self::None => &[],
        }
    }

    /// Returns whether the client presents a certificate.
    pub(crate) fn uses_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }

    /// Returns whether the form holds the client's id unless the user decides otherwise. `None`: the
    /// method requires it.
    pub(crate) fn has_id_in_form(self) -> Option<bool> {
        match self {
            Self::Basic | Self::BasicRaw => Some(false),
            Self::Assertion | Self::None => Some(true),
            Self::Post | Self::TlsClientAuth | Self::SelfSignedTlsClientAuth => None,
        }
    }

    /// Returns what to do if the server denies the client.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Basic | Self::BasicRaw | Self::Post => {
                "check the client id, the secret and the authentication method"
            }
            Self::Assertion => {
                "check the client id, the audience and the lifetime of the client assertion, the key \
                 that is registered for the client, and the clock of this machine"
            }
            Self::TlsClientAuth | Self::SelfSignedTlsClientAuth => {
                "check the client id, and the certificate that is registered for the client"
            }
            Self::None => "check the client id, and that the server requires no authentication",
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

    /// A client assertion ([RFC 7521 §4.2](https://www.rfc-editor.org/rfc/rfc7521#section-4.2)) that is
    /// a JWT: `private_key_jwt` and `client_secret_jwt` with a source of `auth-jose`, or a federated
    /// token of an [`AssertionFile`](crate::AssertionFile). The source is asked anew at each attempt of
    /// a token request.
    ///
    /// The form holds `client_id` as well, unless
    /// [`client_id_in_form`](crate::TokenEndpointBuilder::client_id_in_form) is `false`.
    ///
    /// ```
    /// use auth_core::{AssertionFile, ClientAuthentication};
    ///
    /// # let file = std::env::temp_dir().join("auth-core-doc-federated");
    /// # std::fs::write(&file, "e30.e30.c2ln")?;
    /// let authentication = ClientAuthentication::client_assertion(AssertionFile::new(file)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn client_assertion(source: impl AssertionSource) -> Self {
        Self::client_assertion_of_type(JWT_BEARER, source)
    }

    /// A client assertion with another `client_assertion_type`, such as
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-spiffe`.
    pub fn client_assertion_of_type(
        assertion_type: impl Into<Cow<'static, str>>,
        source: impl AssertionSource,
    ) -> Self {
        Self {
            method: Method::Assertion,
            proof: Proof::Assertion {
                source: Arc::new(source),
                assertion_type: assertion_type.into(),
            },
        }
    }

    /// `tls_client_auth` ([RFC 8705 §2.1](https://www.rfc-editor.org/rfc/rfc8705#section-2.1)): the
    /// transport presents the client's certificate, and the form holds `client_id`.
    ///
    /// ```
    /// use auth_core::ClientAuthentication;
    ///
    /// let authentication = ClientAuthentication::tls_client_auth();
    /// ```
    #[must_use]
    pub fn tls_client_auth() -> Self {
        Self::without_proof(Method::TlsClientAuth)
    }

    /// `self_signed_tls_client_auth`
    /// ([RFC 8705 §2.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.2)): as
    /// [`tls_client_auth`](Self::tls_client_auth), with a certificate that the client has registered.
    #[must_use]
    pub fn self_signed_tls_client_auth() -> Self {
        Self::without_proof(Method::SelfSignedTlsClientAuth)
    }

    /// `none`: no authentication. The form holds `client_id` if the client has one. For a grant that
    /// proves the client by itself, and for a sidecar that adds the authentication.
    #[must_use]
    pub fn none() -> Self {
        Self::without_proof(Method::None)
    }

    pub(crate) fn new(method: Method, secret: impl Into<ClientSecret>) -> Self {
        Self {
            method,
            proof: Proof::Secret(secret.into()),
        }
    }

    fn without_proof(method: Method) -> Self {
        Self {
            method,
            proof: Proof::None,
        }
    }

    pub(crate) fn method(&self) -> Method {
        self.method
    }

    /// Returns the text that tells this client's method from another one in a shared store.
    pub(crate) fn shared_name(&self) -> &str {
        match &self.proof {
            Proof::Assertion { assertion_type, .. } if assertion_type != JWT_BEARER => {
                assertion_type
            }
            _ => self.method.name(),
        }
    }

    /// Returns the credentials for one token request.
    pub(crate) async fn credentials(
        &self,
        context: &AssertionContext,
    ) -> Result<Credentials<'_>, Error> {
        let (proofs, version) = match &self.proof {
            Proof::Secret(secret) => {
                let candidates = secret.candidates().await?;
                let version = version_of(secret, &candidates);
                let proofs = candidates.into_iter().map(Credential::Secret).collect();
                (proofs, version)
            }
            Proof::Assertion {
                source,
                assertion_type,
            } => {
                let assertion = source.assertion(context).await?;
                let version = assertion.version();
                let assertion = Credential::Assertion {
                    assertion,
                    assertion_type,
                };
                (vec![assertion], Version::of_number(version))
            }
            Proof::None => (vec![Credential::None], Version::default()),
        };
        Ok(Credentials { proofs, version })
    }

    /// Returns the version of the credentials that the next token request would use.
    pub(crate) async fn version(&self) -> Result<Version, Error> {
        match &self.proof {
            Proof::Secret(secret) if secret.is_fixed() => Ok(Version::default()),
            Proof::Secret(secret) => Ok(version_of(secret, &secret.candidates().await?)),
            Proof::Assertion { source, .. } => Ok(Version::of_number(source.version().await)),
            Proof::None => Ok(Version::default()),
        }
    }

    /// Returns the name of what proves the client, for errors.
    pub(crate) fn proof_name(&self) -> &'static str {
        match self.proof {
            Proof::Secret(_) => "client secret",
            Proof::Assertion { .. } => "client assertion",
            Proof::None => "client certificate",
        }
    }

    /// Checks what can be known before the first request.
    pub(crate) fn check(&self, client_id: Option<&str>) -> Result<(), Error> {
        let name = self.method.name();
        if let Proof::Assertion { assertion_type, .. } = &self.proof
            && !is_token(assertion_type)
        {
            return Err(Error::configuration(format!(
                "client assertion type {assertion_type:?}: expected a URI of visible ASCII, such as \
                 {JWT_BEARER}"
            )));
        }
        let Some(client_id) = client_id else {
            return match self.method {
                Method::Assertion | Method::None => Ok(()),
                _ => Err(Error::configuration(format!(
                    "client id: expected one for {name}, got none; set it with client_id()"
                ))),
            };
        };
        if self.method == Method::BasicRaw && client_id.contains(':') {
            return Err(Error::configuration(format!(
                "client id {client_id:?}: expected one without ':' for client_secret_basic_raw, \
                 where the first ':' ends the id; use client_secret_basic or client_secret_post"
            )));
        }
        match &self.proof {
            Proof::Secret(secret) => secret.check(&format!("client secret of {name}()")),
            Proof::Assertion { .. } | Proof::None => Ok(()),
        }
    }
}

fn version_of(secret: &ClientSecret, candidates: &[Candidate]) -> Version {
    match secret.is_fixed() {
        true => Version::default(),
        false => candidates.iter().map(Candidate::version).collect(),
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic())
}

impl Credential<'_> {
    /// Returns every form in which it is sent, to be redacted from texts of a server or of a
    /// transport.
    pub(crate) fn forms(&self, client_id: Option<&str>) -> Vec<SecretString> {
        match self {
            Self::Secret(candidate) => {
                secret_forms(client_id.unwrap_or_default(), &candidate.secret)
            }
            Self::Assertion { assertion, .. } => vec![assertion.secret().clone()],
            Self::None => Vec::new(),
        }
    }

    /// Records that the server accepted it.
    pub(crate) fn works(&self) {
        if let Self::Secret(candidate) = self {
            candidate.works();
        }
    }
}

/// Returns every form in which a secret is sent.
fn secret_forms(client_id: &str, secret: &SecretString) -> Vec<SecretString> {
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
            .check(Some("we:ird"))
            .unwrap_err();
        assert!(error.to_string().contains("without ':'"), "{error}");
        assert!(
            ClientAuthentication::client_secret_basic("s")
                .check(Some("we:ird"))
                .is_ok()
        );
    }

    #[test]
    fn an_empty_secret_is_an_error() {
        let error = ClientAuthentication::client_secret_post("")
            .check(Some("id"))
            .unwrap_err();
        assert!(error.to_string().contains("client secret"), "{error}");
    }
}
