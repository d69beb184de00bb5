//! What shapes a token, and therefore is the key under which it is kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use url::Url;

use crate::Error;

/// Parameters that have a place of their own in a token request.
pub(crate) const OWN_PLACE: [&str; 9] = [
    "audience",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "refresh_token",
    "resource",
    "scope",
];

/// A set of scopes ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)):
/// case-sensitive, without an order.
///
/// ```
/// use auth_core::Scopes;
///
/// let scopes: Scopes = "document_write document_read".parse()?;
/// assert_eq!(scopes, "document_read  document_write".parse()?);
/// assert_eq!(scopes.to_string(), "document_read document_write");
/// assert!("say \"please\"".parse::<Scopes>().is_err());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scopes(BTreeSet<Box<str>>);

impl Scopes {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `scope` is one of them.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Each scope.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Those of a response, which may hold what a request may not.
    pub(crate) fn granted(text: &str) -> Self {
        Self(text.split_whitespace().map(Into::into).collect())
    }

    /// Adds those of `text`, separated by spaces.
    fn add(&mut self, text: &str) -> Result<(), Error> {
        for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
            let allowed = |c: char| matches!(c, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E');
            if let Some(c) = scope.chars().find(|c| !allowed(*c)) {
                return Err(Error::configuration(format!(
                    "scope {scope:?}: expected printable ASCII without quote and backslash \
                     (RFC 6749 section 3.3), got {c:?}"
                )));
            }
            self.0.insert(scope.into());
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut scopes = Self::default();
        scopes.add(text)?;
        Ok(scopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { " " })?;
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// What is asked of the token endpoint: everything that shapes a token, and nothing else. Two
/// equal requests may share a token, two different ones never do.
///
/// ```
/// use auth_core::TokenRequest;
///
/// let request = TokenRequest::builder()
///     .scope("document_read document_write")
///     .audience("https://api.example.com")
///     .build()?;
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenRequest {
    scopes: Scopes,
    resources: BTreeSet<String>,
    audience: Option<String>,
    parameters: BTreeMap<String, String>,
}

impl TokenRequest {
    /// Starts with a request that asks for nothing in particular.
    #[must_use]
    pub fn builder() -> TokenRequestBuilder {
        TokenRequestBuilder::default()
    }

    /// The scopes asked for.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Resource indicators ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(String::as_str)
    }

    /// The `audience` parameter that several authorization servers want.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// Further parameters, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// This request, with what it leaves open taken from `defaults`.
    pub(crate) fn or(&self, defaults: &Self) -> Self {
        let Self {
            scopes,
            resources,
            audience,
            parameters,
        } = self;
        Self {
            scopes: if scopes.is_empty() {
                defaults.scopes.clone()
            } else {
                scopes.clone()
            },
            resources: if resources.is_empty() {
                defaults.resources.clone()
            } else {
                resources.clone()
            },
            audience: audience.clone().or_else(|| defaults.audience.clone()),
            parameters: {
                let mut all = defaults.parameters.clone();
                all.extend(parameters.clone());
                all
            },
        }
    }
}

impl fmt::Debug for TokenRequest {
    /// Parameters by name only: their values may be anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("scopes", &self.scopes)
            .field("resources", &self.resources)
            .field("audience", &self.audience)
            .field("parameters", &self.parameters.keys())
            .finish()
    }
}

/// Makes a [`TokenRequest`]; what is wrong is told by [`build`](Self::build).
#[derive(Clone, Default)]
pub struct TokenRequestBuilder {
    scopes: Vec<String>,
    resources: Vec<String>,
    audience: Option<String>,
    parameters: Vec<(String, String)>,
}

impl TokenRequestBuilder {
    /// Adds scopes, separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Adds a resource indicator: an absolute URI without a fragment (RFC 8707 §2).
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

    /// Adds a parameter that the authorization server wants beside the standard ones.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// The request.
    ///
    /// # Errors
    /// If a scope or a resource is malformed, or a parameter is given twice, has no name, or is
    /// one that has a place of its own (`scope`, `client_id`, …).
    pub fn build(self) -> Result<TokenRequest, Error> {
        let mut request = TokenRequest {
            audience: self.audience,
            ..TokenRequest::default()
        };
        for scope in &self.scopes {
            request.scopes.add(scope)?;
        }
        for resource in self.resources {
            check_resource(&resource)?;
            request.resources.insert(resource);
        }
        for (name, value) in self.parameters {
            if name.is_empty() || OWN_PLACE.contains(&name.as_str()) {
                return Err(Error::configuration(format!(
                    "parameter {name:?}: expected a name other than the empty one and {}",
                    OWN_PLACE.join(", ")
                )));
            }
            if request.parameters.contains_key(&name) {
                return Err(Error::configuration(format!(
                    "parameter {name:?} is given twice (RFC 6749 section 3.2 forbids it)"
                )));
            }
            request.parameters.insert(name, value);
        }
        Ok(request)
    }
}

impl fmt::Debug for TokenRequestBuilder {
    /// Parameters by name only: their values may be anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.parameters.iter().map(|(name, _)| name).collect();
        f.debug_struct("TokenRequestBuilder")
            .field("scopes", &self.scopes)
            .field("resources", &self.resources)
            .field("audience", &self.audience)
            .field("parameters", &names)
            .finish()
    }
}

fn check_resource(resource: &str) -> Result<(), Error> {
    let wrong = |what: &dyn fmt::Display| {
        Error::configuration(format!(
            "resource {resource:?}: expected an absolute URI without a fragment \
             (RFC 8707 section 2), got {what}"
        ))
    };
    let uri = Url::parse(resource).map_err(|e| wrong(&e))?;
    match uri.fragment() {
        Some(_) => Err(wrong(&"one with a fragment")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(builder: TokenRequestBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn rfc6749_3_3_scope_is_a_set_without_order_and_with_case() {
        let one: Scopes = "b a".parse().unwrap();
        assert_eq!(one, "a b a".parse().unwrap());
        assert_ne!(one, "A b".parse().unwrap());
        assert!(one.contains("a") && !one.contains("A"));
    }

    #[test]
    fn a_scope_with_a_quote_is_refused() {
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
    fn rfc6749_3_2_no_parameter_twice() {
        let twice = TokenRequest::builder()
            .parameter("x", "1")
            .parameter("x", "2");
        assert!(error(twice).contains("twice"));
        for name in OWN_PLACE {
            assert!(error(TokenRequest::builder().parameter(name, "v")).contains(name));
        }
    }

    #[test]
    fn every_field_is_part_of_the_key() {
        let base = TokenRequest::builder;
        let requests = [
            base(),
            base().scope("s"),
            base().resource("https://r/"),
            base().audience("a"),
            base().parameter("p", "v"),
        ];
        let keys: std::collections::HashSet<_> =
            requests.into_iter().map(|b| b.build().unwrap()).collect();
        assert_eq!(keys.len(), 5);
    }

    #[test]
    fn what_is_left_open_comes_from_the_defaults() {
        let defaults = base_request();
        let request = TokenRequest::builder()
            .scope("other")
            .parameter("p", "mine")
            .build()
            .unwrap();
        let merged = request.or(&defaults);
        assert_eq!(merged.scopes().to_string(), "other");
        assert_eq!(merged.audience(), Some("aud"));
        assert_eq!(
            merged.parameters().collect::<Vec<_>>(),
            [("p", "mine"), ("q", "2")]
        );
        assert_eq!(TokenRequest::default().or(&defaults), defaults);
    }

    fn base_request() -> TokenRequest {
        TokenRequest::builder()
            .scope("scope")
            .resource("https://r/")
            .audience("aud")
            .parameter("p", "1")
            .parameter("q", "2")
            .build()
            .unwrap()
    }
}
