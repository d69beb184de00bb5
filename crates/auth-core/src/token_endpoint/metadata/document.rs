//! A metadata document: what this crate reads of it.

use std::sync::Arc;

use http::uri::Scheme;

use super::issuer::Issuer;
use crate::{
    Error, ErrorKind,
    json_members::{Members, Value},
    redact::{Echoes, clean},
    token_endpoint::url::TokenEndpointUrl,
};

/// The metadata of an authorization server
/// ([RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)). [`discover`](Self::discover) requests
/// it, and has an example.
#[derive(Clone, Debug)]
pub struct Metadata {
    issuer: Arc<str>,
    pub(in crate::token_endpoint) token_endpoint: Arc<TokenEndpointUrl>,
    pub(in crate::token_endpoint) mtls_token_endpoint: Option<Arc<TokenEndpointUrl>>,
    pub(in crate::token_endpoint) revocation_endpoint: Option<Arc<TokenEndpointUrl>>,
    pub(in crate::token_endpoint) mtls_revocation_endpoint: Option<Arc<TokenEndpointUrl>>,
    methods: Vec<String>,
}

/// Why there is no document.
#[derive(Debug)]
pub(super) enum Unread {
    /// The document is that of another issuer.
    OtherIssuer(Error),
    /// Each other reason. An earlier document stays in use.
    Failed(Error),
}

impl Unread {
    /// Prefixes the message with the place of the failure.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::OtherIssuer(error) => Self::OtherIssuer(error.at(place)),
            Self::Failed(error) => Self::Failed(error.at(place)),
        }
    }
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Metadata {
    /// Reads a document. Its issuer has to be the one that was asked for, octet by octet (§3.3).
    pub(super) fn read(body: &[u8], issuer: &Issuer) -> Result<Self, Unread> {
        let invalid = |what: String| {
            Error::new(
                ErrorKind::InvalidResponse,
                format!("metadata document: {what}"),
            )
        };
        let shown = |text: &str| clean(text, &Echoes::default());
        let members = Members::read(body);
        if !members.is_complete() {
            return Err(invalid("expected a JSON object, got something else".into()).into());
        }
        let text = |name: &str| members.get(name).and_then(Value::text);
        match text("issuer") {
            Some(named) if *named == *issuer.text().as_ref() => {}
            Some(named) => {
                return Err(Unread::OtherIssuer(invalid(format!(
                    "expected the issuer {:?}, got {:?}; if the server is the right one, set that text as \
                     the issuer (RFC 8414 section 3.3)",
                    issuer.text(),
                    shown(&named)
                ))));
            }
            None => {
                return Err(invalid(
                    "expected the member \"issuer\" with a text, got none (RFC 8414 section 2)"
                        .into(),
                )
                .into());
            }
        }
        type Parse = fn(&str, bool) -> Result<TokenEndpointUrl, Error>;
        let endpoint = |name: &str, text: &str, parse: Parse| {
            let url = parse(text, issuer.allows_http()).map_err(|error| {
                invalid(format!("member {name:?}: expected a URL, got another text"))
                    .with_source(error)
            })?;
            let is_http = url.uri().scheme() == Some(&Scheme::HTTP);
            if is_http && !issuer.permits_http_endpoints() {
                return Err(invalid(format!(
                    "member {name:?}: expected an https URL, because the issuer is one, got http, which \
                     would show the client's secret to the network; danger_allow_http permits it"
                )));
            }
            Ok(Arc::new(url))
        };
        let Some(token_endpoint) = text("token_endpoint") else {
            return Err(invalid(
                "expected the member \"token_endpoint\" with a text, got none".into(),
            )
            .into());
        };
        let aliases = members.get("mtls_endpoint_aliases").and_then(Value::object);
        let alias = |name: &str, parse: Parse| {
            let alias = aliases.as_ref().and_then(|aliases| aliases.get(name));
            let alias = alias.and_then(Value::text);
            let alias = alias.map(|text| endpoint("mtls_endpoint_aliases", &text, parse));
            alias.transpose()
        };
        let methods = members.get("token_endpoint_auth_methods_supported");
        let methods = methods.and_then(Value::list).map(|methods| {
            let methods = methods.into_iter().filter_map(Value::text);
            methods.map(|method| method.to_string()).collect()
        });
        Ok(Self {
            issuer: Arc::clone(issuer.text()),
            token_endpoint: endpoint("token_endpoint", &token_endpoint, TokenEndpointUrl::parse)?,
            mtls_token_endpoint: alias("token_endpoint", TokenEndpointUrl::parse)?,
            revocation_endpoint: match text("revocation_endpoint") {
                Some(url) => Some(endpoint(
                    "revocation_endpoint",
                    &url,
                    TokenEndpointUrl::parse_revocation,
                )?),
                None => None,
            },
            mtls_revocation_endpoint: alias(
                "revocation_endpoint",
                TokenEndpointUrl::parse_revocation,
            )?,
            methods: methods.unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
        })
    }

    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the URL of the token endpoint, without its query.
    #[must_use]
    pub fn token_endpoint(&self) -> &str {
        self.token_endpoint.without_query()
    }

    /// Returns the URL of the token endpoint for clients with a certificate, without its query, if it
    /// is another one ([RFC 8705 §5](https://www.rfc-editor.org/rfc/rfc8705#section-5)).
    #[must_use]
    pub fn mtls_token_endpoint(&self) -> Option<&str> {
        self.mtls_token_endpoint
            .as_deref()
            .map(TokenEndpointUrl::without_query)
    }

    /// Returns the URL of the revocation endpoint ([RFC
    /// 7009](https://www.rfc-editor.org/rfc/rfc7009)), without its query, if there is one.
    #[must_use]
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.revocation_endpoint
            .as_deref()
            .map(TokenEndpointUrl::without_query)
    }

    /// Returns the URL of the revocation endpoint for clients with a certificate, without its query, if
    /// it is another one ([RFC 8705 §5](https://www.rfc-editor.org/rfc/rfc8705#section-5)).
    #[must_use]
    pub fn mtls_revocation_endpoint(&self) -> Option<&str> {
        self.mtls_revocation_endpoint
            .as_deref()
            .map(TokenEndpointUrl::without_query)
    }

    /// Returns the methods of client authentication that the token endpoint supports. A document that
    /// names none means `client_secret_basic`.
    pub fn authentication_methods(&self) -> impl Iterator<Item = &str> {
        self.methods.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Metadata, Error> {
        let issuer = Issuer::parse("https://as.example", false).unwrap();
        Metadata::read(body.as_bytes(), &issuer).map_err(|unread| match unread {
            Unread::OtherIssuer(error) | Unread::Failed(error) => error,
        })
    }

    #[test]
    fn what_is_missing_has_the_defaults_of_rfc8414_2() {
        let document =
            r#"{"issuer":"https://as.example","token_endpoint":"https://other.example/t?a=b"}"#;
        let metadata = read(document).unwrap();
        assert_eq!(metadata.issuer(), "https://as.example");
        assert_eq!(metadata.token_endpoint(), "https://other.example/t");
        assert_eq!(metadata.mtls_token_endpoint(), None);
        assert_eq!(metadata.revocation_endpoint(), None);
        assert_eq!(metadata.mtls_revocation_endpoint(), None);
        let methods: Vec<_> = metadata.authentication_methods().collect();
        assert_eq!(methods, ["client_secret_basic"]);
    }

    /// <https://www.rfc-editor.org/rfc/rfc8414#section-3.2>, without the members about users.
    #[test]
    fn rfc8414_3_2_the_example() {
        let document = r#"{"issuer":"https://server.example.com",
            "authorization_endpoint":"https://server.example.com/authorize",
            "token_endpoint":"https://server.example.com/token",
            "token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported":["RS256","ES256"],
            "jwks_uri":"https://server.example.com/jwks.json"}"#;
        let issuer = Issuer::parse("https://server.example.com", false).unwrap();
        let metadata = Metadata::read(document.as_bytes(), &issuer).unwrap();
        assert_eq!(
            metadata.token_endpoint(),
            "https://server.example.com/token"
        );
        let methods: Vec<_> = metadata.authentication_methods().collect();
        assert_eq!(methods, ["client_secret_basic", "private_key_jwt"]);
    }

    /// <https://www.rfc-editor.org/rfc/rfc8705#section-5>
    #[test]
    fn rfc8705_5_the_example() {
        let document = r#"{"issuer":"https://server.example.com",
            "token_endpoint":"https://server.example.com/token",
            "revocation_endpoint":"https://server.example.com/revo",
            "token_endpoint_auth_methods_supported":
                ["tls_client_auth","client_secret_basic","none"],
            "tls_client_certificate_bound_access_tokens":true,
            "mtls_endpoint_aliases":{"token_endpoint":"https://mtls.example.com/token",
                "revocation_endpoint":"https://mtls.example.com/revo",
                "introspection_endpoint":"https://mtls.example.com/introspect"}}"#;
        let issuer = Issuer::parse("https://server.example.com", false).unwrap();
        let metadata = Metadata::read(document.as_bytes(), &issuer).unwrap();
        assert_eq!(
            metadata.mtls_token_endpoint(),
            Some("https://mtls.example.com/token")
        );
        assert_eq!(
            metadata.mtls_revocation_endpoint(),
            Some("https://mtls.example.com/revo")
        );
    }

    #[test]
    fn all_members_are_read() {
        let document = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t",
            "revocation_endpoint":"https://as.example/r","unknown":[{}],
            "token_endpoint_auth_methods_supported":["private_key_jwt",7,"tls_client_auth"],
            "mtls_endpoint_aliases":{"token_endpoint":"https://mtls.as.example/t"}}"#;
        let metadata = read(document).unwrap();
        assert_eq!(
            metadata.mtls_token_endpoint(),
            Some("https://mtls.as.example/t")
        );
        assert_eq!(metadata.revocation_endpoint(), Some("https://as.example/r"));
        let methods: Vec<_> = metadata.authentication_methods().collect();
        assert_eq!(methods, ["private_key_jwt", "tls_client_auth"]);
    }

    #[test]
    fn rfc8414_3_3_a_document_of_another_issuer_is_discarded() {
        for (document, told) in [
            (
                r#"{"issuer":"https://as.example/","token_endpoint":"https://as.example/t"}"#,
                "expected the issuer \"https://as.example\", got \"https://as.example/\"",
            ),
            (
                r#"{"issuer":"https://AS.example","token_endpoint":"https://as.example/t"}"#,
                "got \"https://AS.example\"",
            ),
            (r#"{"token_endpoint":"https://as.example/t"}"#, "\"issuer\""),
            (
                r#"{"issuer":7,"token_endpoint":"https://as.example/t"}"#,
                "\"issuer\"",
            ),
            (r#"{"issuer":"https://as.example"}"#, "\"token_endpoint\""),
            (
                r#"{"issuer":"https://as.example","token_endpoint":"http://as.example/t"}"#,
                "\"token_endpoint\"",
            ),
            (
                r#"{"issuer":"https://as.example","token_endpoint":"http://localhost/t"}"#,
                "expected an https URL",
            ),
            (
                r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t",
                    "revocation_endpoint":"http://[::1]/r"}"#,
                "\"revocation_endpoint\": expected an https URL",
            ),
            (
                r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t",
                    "mtls_endpoint_aliases":{"token_endpoint":"http://127.0.0.1/t"}}"#,
                "\"mtls_endpoint_aliases\": expected an https URL",
            ),
            ("<html>", "a JSON object"),
            ("[]", "a JSON object"),
            ("", "a JSON object"),
        ] {
            let error = read(document).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidResponse);
            assert!(error.to_string().contains(told), "{error}");
        }
    }
}
