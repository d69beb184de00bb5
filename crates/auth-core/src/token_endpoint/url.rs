//! The token endpoint's URL, RFC 6749 §3.2.

use std::fmt;

use http::Uri;

use super::role::Role;
use crate::{
    Error, origin::HttpUrl, redact::without_secrets, request::RESERVED_PARAMETERS,
    uri_syntax::check_characters,
};

/// The parameters of a revocation (RFC 7009 §2.1).
const REVOCATION_PARAMETERS: [&str; 2] = ["token", "token_type_hint"];

/// A checked token endpoint or revocation endpoint.
#[derive(Clone)]
pub(crate) struct TokenEndpointUrl {
    role: Role,
    uri: Uri,
    /// The URL without its query, for error texts.
    without_query: String,
    /// The names of the parameters in its query.
    parameters: Vec<String>,
}

impl TokenEndpointUrl {
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self, Error> {
        let endpoint = Self::parse_as(Role::Token, text, allow_http)?;
        endpoint.check_parameters(RESERVED_PARAMETERS)?;
        Ok(endpoint)
    }

    /// Parses the URL of a revocation endpoint (RFC 7009 §2).
    pub(crate) fn parse_revocation(text: &str, allow_http: bool) -> Result<Self, Error> {
        let endpoint = Self::parse_as(Role::Revocation, text, allow_http)?;
        endpoint.check_parameters(RESERVED_PARAMETERS)?;
        endpoint.check_parameters(REVOCATION_PARAMETERS)?;
        Ok(endpoint)
    }

    fn parse_as(role: Role, text: &str, allow_http: bool) -> Result<Self, Error> {
        let invalid = |reason: &str| {
            Error::configuration(format!(
                "{} {:?}: expected an https URL such as {}, got {reason}",
                role.endpoint(),
                without_secrets(text),
                role.example()
            ))
        };
        let url = HttpUrl::parse(text).map_err(|error| invalid(&error.to_string()))?;
        if url.origin.scheme() == "http" && !allow_http && !url.origin.is_loopback() {
            return Err(invalid(
                "http to a host that is not loopback, which would show the client's secret to \
                 the network; danger_allow_http permits it",
            ));
        }
        if url.has_fragment {
            return Err(invalid("one with a fragment (RFC 6749 section 3.2)"));
        }
        for part in [url.path, url.query.unwrap_or_default()] {
            check_characters(part).map_err(|error| invalid(&error.to_string()))?;
        }
        let path = if url.path.is_empty() { "/" } else { url.path };
        let without_query = format!("{}{path}", url.base());
        let uri = match url.query {
            Some(query) => format!("{without_query}?{query}"),
            None => without_query.clone(),
        };
        let uri = uri.parse().map_err(|e: http::uri::InvalidUri| {
            invalid("a URL that the HTTP client cannot represent").with_source(e)
        })?;
        let query = form_urlencoded::parse(url.query.unwrap_or_default().as_bytes());
        Ok(Self {
            role,
            uri,
            without_query,
            parameters: query.map(|(name, _)| name.into_owned()).collect(),
        })
    }

    /// Checks that none of these parameters is in the endpoint's query, which is sent unchanged.
    /// Such a parameter would be sent twice. Names are compared without case, as many servers do.
    pub(crate) fn check_parameters<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Error> {
        let in_query = |name: &&str| {
            let mut parameters = self.parameters.iter();
            parameters.any(|parameter| parameter.eq_ignore_ascii_case(name))
        };
        match names.into_iter().find(in_query) {
            None => Ok(()),
            Some(name) => Err(Error::configuration(format!(
                "{} {:?}: expected no parameter {name} in its query, because it would be \
                 sent twice (RFC 6749 section 3.2); remove it from the URL",
                self.role.endpoint(),
                self.without_query
            ))),
        }
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn without_query(&self) -> &str {
        &self.without_query
    }
}

impl fmt::Debug for TokenEndpointUrl {
    /// Leaves out the query, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.without_query, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        match TokenEndpointUrl::parse(text, false) {
            Ok(_) => panic!("{text} was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_token_endpoint_is_https_or_loopback() {
        for url in [
            "https://as.example/token",
            "https://AS.example:8443/a/b?tenant=1",
            "http://127.0.0.1:4000/token",
            "http://127.9.9.9/token",
            "http://[::1]:4000/token",
            "http://localhost/token",
        ] {
            assert!(TokenEndpointUrl::parse(url, false).is_ok(), "{url}");
        }
        assert!(TokenEndpointUrl::parse("http://as.example/token", true).is_ok());
    }

    #[test]
    fn each_error_states_its_cause() {
        assert!(error("as.example/token").contains("without a scheme"));
        assert!(error("").contains("without a scheme"));
        assert!(error("https://").contains("cannot be read"));
        assert!(error("localhost:4000").contains("without a host"));
        assert!(error("ftp://as.example/token").contains("scheme ftp"));
        assert!(error("https:/as.example/token").contains("without //"));
        assert!(error("https:as.example/token").contains("without //"));
        assert!(error("https:///token").contains("host is empty"));
        assert!(error("https://as.example:0/token").contains("port"));
        assert!(error("https://as.example:65536/token").contains("port"));
        assert!(error("https://as.example/to ken").contains("percent-encoded"));
        assert!(error("https://as.example/to\nken").contains("percent-encoded"));
        assert!(error("https://as.example/to\\ken").contains("percent-encoded"));
        assert!(error("https://as.example/%zz").contains("hexadecimal"));
        assert!(error("https://b\u{fc}cher.example/token").contains("punycode"));
        assert!(error("http://as.example/token").contains("not loopback"));
        assert!(error("http://localhost.evil.example/").contains("not loopback"));
        assert!(error("http://127.0.0.1.evil.example/").contains("not loopback"));
        assert!(error("http://[::ffff:7f00:1]/").contains("not loopback"));
        assert!(error("http://0x7f.1/").contains("IPv4"));
        assert!(error("http://2130706433/").contains("IPv4"));
        assert!(error("https://as.example/token#x").contains("fragment"));
        assert!(error("https://as.example/token?scope=a").contains("sent twice"));
    }

    #[test]
    fn rfc6749_2_3_a_url_with_credentials_is_an_error_that_does_not_show_them() {
        let error = self::error("https://id:s3cr3t@as.example/token");
        assert!(
            error.contains("credentials") && !error.contains("s3cr3t"),
            "{error}"
        );
        let error = self::error("https://as.example/token?client_secret=s3cr3t");
        assert!(!error.contains("s3cr3t"), "{error}");
    }

    #[test]
    fn rfc6749_3_2_an_existing_query_is_kept() {
        let endpoint = TokenEndpointUrl::parse("https://as.example/token?tenant=1", false).unwrap();
        assert_eq!(endpoint.uri().query(), Some("tenant=1"));
        assert_eq!(endpoint.without_query(), "https://as.example/token");
    }

    #[test]
    fn equivalent_urls_are_normalized() {
        for spelling in [
            "HTTPS://AS.example",
            "https://as.example:443/",
            "https://as.example:",
        ] {
            let endpoint = TokenEndpointUrl::parse(spelling, false).unwrap();
            assert_eq!(endpoint.uri().to_string(), "https://as.example/");
        }
    }
}
