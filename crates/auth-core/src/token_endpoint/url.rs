//! The token endpoint's URL, RFC 6749 §3.2.

use http::Uri;
use url::Url;

use crate::{Error, origin::is_loopback, redact::without_secrets, request::OWN_PLACE};

/// A checked token endpoint.
#[derive(Clone)]
pub(crate) struct TokenEndpointUrl {
    uri: Uri,
    /// Without its query, for error texts.
    name: String,
    /// The names of the parameters in its query.
    parameters: Vec<String>,
}

impl TokenEndpointUrl {
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Error::configuration(format!(
                "token endpoint {:?}: expected an https URL such as \
                 https://as.example.com/oauth/token, got {what}",
                without_secrets(text)
            ))
        };
        let url = Url::parse(text).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => wrong("one without a scheme"),
            e => wrong("one that cannot be read").with_source(e),
        })?;
        let host = match (url.scheme(), url.host()) {
            (_, None) => return Err(wrong("one without a host")),
            ("https" | "http", Some(host)) => host,
            (scheme, _) => return Err(wrong(&format!("the scheme {scheme}"))),
        };
        if url.scheme() == "http" && !allow_http && !is_loopback(&host) {
            return Err(wrong(
                "http to a host that is not loopback, which would show the client's secret to \
                 the network; allow_http() permits it",
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("one with credentials in it (RFC 6749 section 2.3.1)"));
        }
        if url.fragment().is_some() {
            return Err(wrong("one with a fragment (RFC 6749 section 3.2)"));
        }
        let parameters: Vec<_> = url.query_pairs().map(|(k, _)| k.into_owned()).collect();
        let uri = url
            .as_str()
            .parse()
            .map_err(|e: http::uri::InvalidUri| wrong("one that cannot be sent").with_source(e))?;
        let endpoint = Self {
            uri,
            name: without_secrets(url.as_str()).to_owned(),
            parameters,
        };
        endpoint.check_parameters(OWN_PLACE)?;
        Ok(endpoint)
    }

    /// An existing query is kept; what is in it must not be in the request as well.
    pub(crate) fn check_parameters<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Error> {
        let in_query = |name: &&str| self.parameters.iter().any(|parameter| parameter == name);
        match names.into_iter().find(in_query) {
            None => Ok(()),
            Some(name) => Err(Error::configuration(format!(
                "token endpoint {:?}: the parameter {name} in its query would be sent twice \
                 (RFC 6749 section 3.2)",
                self.name
            ))),
        }
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        match TokenEndpointUrl::parse(text, false) {
            Ok(_) => panic!("{text} was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_a_token_endpoint_may_be() {
        for good in [
            "https://as.example/token",
            "https://AS.example:8443/a/b?tenant=1",
            "http://127.0.0.1:4000/token",
            "http://127.9.9.9/token",
            "http://[::1]:4000/token",
            "http://localhost/token",
        ] {
            assert!(TokenEndpointUrl::parse(good, false).is_ok(), "{good}");
        }
        assert!(TokenEndpointUrl::parse("http://as.example/token", true).is_ok());
    }

    #[test]
    fn each_fault_is_named() {
        assert!(refusal("as.example/token").contains("without a scheme"));
        assert!(refusal("").contains("without a scheme"));
        assert!(refusal("https://").contains("cannot be read"));
        assert!(refusal("localhost:4000").contains("without a host"));
        assert!(refusal("ftp://as.example/token").contains("scheme ftp"));
        assert!(refusal("http://as.example/token").contains("not loopback"));
        assert!(refusal("http://localhost.evil.example/").contains("not loopback"));
        assert!(refusal("https://as.example/token#x").contains("fragment"));
        assert!(refusal("https://as.example/token?scope=a").contains("sent twice"));
    }

    #[test]
    fn rfc6749_2_3_credentials_never_in_the_uri_nor_in_the_error() {
        let error = refusal("https://id:s3cr3t@as.example/token");
        assert!(
            error.contains("credentials") && !error.contains("s3cr3t"),
            "{error}"
        );
        let error = refusal("https://as.example/token?client_secret=s3cr3t");
        assert!(!error.contains("s3cr3t"), "{error}");
    }

    #[test]
    fn rfc6749_3_2_an_existing_query_is_kept() {
        let endpoint = TokenEndpointUrl::parse("https://as.example/token?tenant=1", false).unwrap();
        assert_eq!(endpoint.uri().query(), Some("tenant=1"));
        assert_eq!(endpoint.name(), "https://as.example/token");
    }
}
