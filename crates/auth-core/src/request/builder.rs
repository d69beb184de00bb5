//! Builds a [`TokenRequest`].

use std::fmt;

use super::{
    authorization_detail::{checked_detail, detail_type},
    token_request::{Fields, TokenRequest},
};
use crate::{
    Error,
    redact::without_secrets,
    uri_syntax::{check_characters, split_scheme},
    visible_text::is_invisible,
};

/// Parameters that have a setting of their own, or that the grant sets. `parameter` permits
/// `resource` nevertheless, for a value that is no URI.
pub(crate) const RESERVED_PARAMETERS: [&str; 10] = [
    "audience",
    "authorization_details",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "refresh_token",
    "resource",
    "scope",
];

/// Builds a [`TokenRequest`]. Invalid settings are errors of [`build`](Self::build).
#[derive(Clone, Default)]
pub struct TokenRequestBuilder {
    scopes: Vec<String>,
    resources: Vec<String>,
    audience: Option<String>,
    authorization_details: Vec<String>,
    parameters: Vec<(String, String)>,
}

impl TokenRequest {
    /// Starts with an empty request.
    #[must_use]
    pub fn builder() -> TokenRequestBuilder {
        TokenRequestBuilder::default()
    }
}

impl TokenRequestBuilder {
    /// Adds scopes, separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Adds a resource indicator: an absolute URI without a fragment (RFC 8707 §2). Pass a resource
    /// that is no URI to [`parameter`](Self::parameter).
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Sets the `audience` parameter.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Adds a detail of the authorization that is requested, as a JSON object whose member `type` says
    /// what the others mean ([RFC 9396 §2](https://www.rfc-editor.org/rfc/rfc9396#section-2)). All
    /// details are sent in one parameter, `authorization_details`, in the order in which they are
    /// added.
    ///
    /// The text is sent as it is given, without blanks at its ends, and is part of the key: two
    /// spellings of one object are two requests. [`AccessToken::authorization_details`] returns what
    /// was granted.
    ///
    /// ```
    /// use auth_core::TokenRequest;
    ///
    /// let payment = r#"{"type":"payment_initiation","instructedAmount":{"currency":"EUR","amount":"123.50"}}"#;
    /// let request = TokenRequest::builder().authorization_detail(payment).build()?;
    /// assert_eq!(request.authorization_details().collect::<Vec<_>>(), [payment]);
    /// assert!(TokenRequest::builder().authorization_detail("{}").build().is_err());
    /// # Ok::<(), auth_core::Error>(())
    /// ```
    ///
    /// [`AccessToken::authorization_details`]: crate::AccessToken::authorization_details
    #[must_use]
    pub fn authorization_detail(mut self, json: impl Into<String>) -> Self {
        self.authorization_details.push(json.into());
        self
    }

    /// Adds a parameter that the authorization server expects in addition to the standard ones.
    ///
    /// The name `resource` is permitted, also several times. Its value is sent unchecked, for servers
    /// whose resources are no URIs.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Builds the request.
    ///
    /// # Errors
    /// If a scope or a resource is malformed, if a detail of the authorization is no JSON object with a
    /// text as its member `type`, or if the name of a parameter is given twice, is empty,
    /// holds invisible characters or blanks at its ends, has a setting of its own (`scope`, …) or is
    /// set by the grant (`client_id`, …). Names are compared without case.
    pub fn build(self) -> Result<TokenRequest, Error> {
        let mut fields = Fields {
            audience: self.audience.map(String::into_boxed_str),
            ..Fields::default()
        };
        for scope in &self.scopes {
            fields.scopes.add(scope)?;
        }
        for resource in self.resources {
            check_resource(&resource)?;
            fields.resources.insert(resource);
        }
        for (at, json) in self.authorization_details.iter().enumerate() {
            let detail = checked_detail(json).map_err(|fault| {
                Error::configuration(format!(
                    "authorization_detail {}: expected a JSON object with a text as its member \"type\" \
                     (RFC 9396 section 2), got {fault}",
                    at + 1
                ))
            })?;
            fields.authorization_details.push(detail.to_owned());
        }
        for (name, value) in self.parameters {
            if name == "resource" && !value.is_empty() {
                fields.resources.insert(value);
                continue;
            }
            check_name(&name)?;
            let mut names = fields.parameters.keys();
            if names.any(|other| other.eq_ignore_ascii_case(&name)) {
                return Err(Error::configuration(format!(
                    "parameter {name:?}: expected it once (RFC 6749 section 3.2), got it twice"
                )));
            }
            fields.parameters.insert(name, value);
        }
        Ok(TokenRequest::new(fields))
    }
}

impl fmt::Debug for TokenRequestBuilder {
    /// Shows details of the authorization by type only, parameters by name only, and neither query nor user of a URL: their values may be
    /// secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources: Vec<_> = self.resources.iter().map(|r| without_secrets(r)).collect();
        let details = self
            .authorization_details
            .iter()
            .map(|json| detail_type(json));
        let details: Vec<_> = details.collect();
        let names: Vec<_> = self.parameters.iter().map(|(name, _)| name).collect();
        f.debug_struct("TokenRequestBuilder")
            .field("scopes", &self.scopes)
            .field("resources", &resources)
            .field("audience", &self.audience.as_deref().map(without_secrets))
            .field("authorization_details", &details)
            .field("parameters", &names)
            .finish()
    }
}

/// Checks the name of a parameter. Names are compared without case, as many servers do.
fn check_name(name: &str) -> Result<(), Error> {
    let is_reserved = |reserved: &&str| reserved.eq_ignore_ascii_case(name);
    if name.is_empty() || RESERVED_PARAMETERS.iter().any(is_reserved) {
        return Err(Error::configuration(format!(
            "parameter {name:?}: expected a name that is not empty, and is none of those that \
             have a setting of their own or that the grant sets: {}",
            RESERVED_PARAMETERS.join(", ")
        )));
    }
    if name.trim() != name || name.chars().any(is_invisible) {
        return Err(Error::configuration(format!(
            "parameter {name:?}: expected a name of visible characters, without blanks at its ends"
        )));
    }
    Ok(())
}

fn check_resource(resource: &str) -> Result<(), Error> {
    let invalid = |what: &dyn fmt::Display| {
        Error::configuration(format!(
            "resource {resource:?}: expected an absolute URI without a fragment \
             (RFC 8707 section 2), got {what}"
        ))
    };
    let Some((scheme, rest)) = split_scheme(resource) else {
        return Err(invalid(&"one without a scheme"));
    };
    if resource.contains('#') {
        return Err(invalid(&"one with a fragment"));
    }
    check_characters(rest).map_err(|error| invalid(&error))?;
    if rest.is_empty() {
        return Err(invalid(&"only a scheme"));
    }
    let is_http = ["http", "https"]
        .iter()
        .any(|http| scheme.eq_ignore_ascii_case(http));
    let host = rest.strip_prefix("//").unwrap_or_default();
    if is_http && (host.is_empty() || host.starts_with(['/', '?', ':'])) {
        return Err(invalid(&"one without a host"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: TokenRequestBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn a_scope_with_a_quote_is_an_error() {
        let error = error(TokenRequest::builder().scope("read \"all\""));
        assert!(error.contains("scope \"\\\"all\\\"\"") && error.contains("got '\"'"));
    }

    #[test]
    fn rfc8707_resource_is_absolute_without_fragment() {
        assert!(error(TokenRequest::builder().resource("/api")).contains("absolute URI"));
        assert!(error(TokenRequest::builder().resource("https://a/#f")).contains("fragment"));
        let two = TokenRequest::builder()
            .resource("https://b/")
            .resource("https://a/")
            .build()
            .unwrap();
        assert_eq!(
            two.resources().collect::<Vec<_>>(),
            ["https://a/", "https://b/"]
        );
    }

    #[test]
    fn rfc8707_any_absolute_uri_is_a_resource() {
        for resource in [
            "https://api.example.com",
            "https://API.example.com:8443/app/?tenant=a%2Fb",
            "http://[::1]:4000/",
            "urn:example:orders",
            "api://3f1c/.default",
            "app+v1.x:orders",
        ] {
            let built = TokenRequest::builder().resource(resource).build();
            assert!(built.is_ok(), "{resource}: {built:?}");
        }
    }

    #[test]
    fn rfc8707_the_error_names_the_fault_of_a_resource() {
        for (resource, what) in [
            ("", "without a scheme"),
            ("api.example.com", "without a scheme"),
            ("1a:b", "without a scheme"),
            ("//api.example.com/", "without a scheme"),
            ("urn:", "only a scheme"),
            ("https:/api", "without a host"),
            ("https://", "without a host"),
            ("https:///api", "without a host"),
            ("https://a/?b#", "fragment"),
            ("urn:a b", "' '"),
            ("urn:a\\b", "percent-encoded"),
            ("urn:a\tb", "percent-encoded"),
            ("https://b\u{fc}cher.example/", "percent-encoded"),
            ("urn:100%", "hexadecimal"),
        ] {
            let error = error(TokenRequest::builder().resource(resource));
            assert!(
                error.contains(what) && error.contains("absolute URI"),
                "{error}"
            );
        }
    }

    #[test]
    fn rfc6749_3_2_a_repeated_or_reserved_parameter_is_an_error() {
        let twice = TokenRequest::builder()
            .parameter("x", "1")
            .parameter("x", "2");
        assert!(error(twice).contains("twice"));
        for name in RESERVED_PARAMETERS {
            let value = if name == "resource" { "" } else { "v" };
            assert!(error(TokenRequest::builder().parameter(name, value)).contains(name));
        }
    }
}
