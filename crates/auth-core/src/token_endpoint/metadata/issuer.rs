//! The issuer of an authorization server, and the URLs of its metadata documents.

use std::sync::Arc;

use http::Uri;

use crate::{Error, origin::HttpUrl, redact::without_secrets, uri_syntax::check_characters};

/// A checked issuer (RFC 8414 §2).
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    /// The text as it was given: it is compared octet by octet.
    text: Arc<str>,
    /// The URLs of the documents, in the order in which they are requested.
    documents: [Uri; 2],
    /// Whether `http` is permitted for it, and for its endpoints.
    allows_http: bool,
    is_http: bool,
}

impl Issuer {
    pub(super) fn parse(text: &str, allow_http: bool) -> Result<Self, Error> {
        let invalid = |reason: &str| {
            Error::configuration(format!(
                "issuer {:?}: expected an https URL without query and fragment, such as \
                 https://as.example.com (RFC 8414 section 2), got {reason}",
                without_secrets(text)
            ))
        };
        let url = HttpUrl::parse(text).map_err(|error| invalid(&error.to_string()))?;
        if url.origin.scheme() == "http" && !allow_http && !url.origin.is_loopback() {
            return Err(invalid(
                "http to a host that is not loopback, which may return another token endpoint; \
                 danger_allow_http permits it",
            ));
        }
        if url.query.is_some() {
            return Err(invalid("one with a query"));
        }
        if url.has_fragment {
            return Err(invalid("one with a fragment"));
        }
        check_characters(url.path).map_err(|error| invalid(&error.to_string()))?;
        if url.path.contains("/.well-known/") {
            return Err(invalid("the URL of its metadata document"));
        }
        let (base, path) = (url.base(), url.path.trim_end_matches('/'));
        let parse = |document: String| {
            document.parse().map_err(|e: http::uri::InvalidUri| {
                invalid("a URL that the HTTP client cannot represent").with_source(e)
            })
        };
        Ok(Self {
            documents: [
                parse(format!(
                    "{base}/.well-known/oauth-authorization-server{path}"
                ))?,
                parse(format!("{base}{path}/.well-known/openid-configuration"))?,
            ],
            text: text.into(),
            allows_http: allow_http,
            is_http: url.origin.scheme() == "http",
        })
    }

    pub(super) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns the URLs of its documents: of RFC 8414 §3, where the well-known part stands before the
    /// path, and of OpenID Connect Discovery §4, where it follows the path.
    pub(super) fn documents(&self) -> &[Uri; 2] {
        &self.documents
    }

    pub(super) fn allows_http(&self) -> bool {
        self.allows_http
    }

    /// Returns whether its endpoints on loopback may be `http`: the document of an `https` issuer must
    /// not take the client's secret off TLS.
    pub(super) fn permits_http_endpoints(&self) -> bool {
        self.allows_http || self.is_http
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8414_3_the_well_known_part_stands_before_the_path_and_oidc_appends_it() {
        for (issuer, oauth, oidc) in [
            (
                "https://as.example",
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ),
            (
                "https://as.example/",
                "https://as.example/.well-known/oauth-authorization-server",
                "https://as.example/.well-known/openid-configuration",
            ),
            (
                "https://as.example:8443/realms/a",
                "https://as.example:8443/.well-known/oauth-authorization-server/realms/a",
                "https://as.example:8443/realms/a/.well-known/openid-configuration",
            ),
        ] {
            let issuer = Issuer::parse(issuer, false).unwrap();
            assert_eq!(issuer.documents()[0].to_string(), oauth);
            assert_eq!(issuer.documents()[1].to_string(), oidc);
        }
    }

    #[test]
    fn rfc8414_2_an_issuer_is_https_without_query_and_fragment() {
        for (issuer, told) in [
            ("https://as.example?tenant=1", "with a query"),
            ("https://as.example#a", "with a fragment"),
            ("http://as.example", "not loopback"),
            ("as.example", "without a scheme"),
            ("https://id:s3cr3t@as.example", "credentials"),
            (
                "https://as.example/.well-known/openid-configuration",
                "the URL of its metadata document",
            ),
            ("https://as.example/a b", "percent-encoded"),
        ] {
            let error = Issuer::parse(issuer, false).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
        assert!(Issuer::parse("http://127.0.0.1:4000", false).is_ok());
        assert!(Issuer::parse("http://as.example", true).is_ok());
    }
}
