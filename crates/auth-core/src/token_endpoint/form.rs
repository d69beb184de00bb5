//! The form of a token request: what a grant sends beside the parameters of a [`TokenRequest`].

use std::{borrow::Cow, fmt, sync::Arc};

use crate::{Assertion, AssertionSource, SecretString, version::Version};

/// The part of a token request that a grant decides: `grant_type`, and parameters of its own such as
/// an assertion.
///
/// The parameters of the [`TokenRequest`](crate::TokenRequest) (`scope`, `resource`, `audience`, …) are
/// added to it, and those of the client's authentication.
///
/// ```
/// use auth_core::Form;
///
/// // Zoom's grant for its own applications
/// let form = Form::new("account_credentials").field("account_id", "a1b2");
/// ```
#[derive(Clone)]
pub struct Form {
    grant_type: Cow<'static, str>,
    fields: Vec<(Cow<'static, str>, Field)>,
    sends_request: bool,
    version: Version,
    key_parts: Vec<Cow<'static, str>>,
}

/// The value of a parameter of the grant.
#[derive(Clone)]
pub(super) enum Field {
    Plain(Cow<'static, str>),
    Secret(SecretString),
    /// An assertion that is made anew for each HTTP request.
    Source(Arc<dyn AssertionSource>),
}

impl Form {
    /// Starts with a grant type.
    pub fn new(grant_type: impl Into<Cow<'static, str>>) -> Self {
        Self {
            grant_type: grant_type.into(),
            fields: Vec::new(),
            sends_request: true,
            version: Version::default(),
            key_parts: Vec::new(),
        }
    }

    /// Adds a parameter of the grant that is no secret, such as the type of a token. It is shown where
    /// the server repeats it in an error.
    #[must_use]
    pub fn parameter(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.fields.push((name.into(), Field::Plain(value.into())));
        self
    }

    /// Adds a parameter of the grant. Its value is treated like a secret: it is wiped, and struck out
    /// where the server repeats it in an error.
    #[must_use]
    pub fn field(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<SecretString>,
    ) -> Self {
        self.fields.push((name.into(), Field::Secret(value.into())));
        self
    }

    /// Adds an assertion that has been made. A denial is remembered with its [version](Assertion::version), so that
    /// [`TokenEndpoint::credentials_changed`](super::TokenEndpoint::credentials_changed) can tell
    /// whether the next one differs.
    #[must_use]
    pub fn assertion(mut self, name: impl Into<Cow<'static, str>>, assertion: &Assertion) -> Self {
        let version = Version::of_number(assertion.version());
        self.version = self.version.and(version);
        self.field(name, assertion.secret().clone())
    }

    /// Adds an assertion that `source` makes anew for each HTTP request: also where a token request is
    /// repeated with the other one of [two secrets](crate::ClientSecret::rotating). A denial is
    /// remembered with the assertion's version, as in [`assertion`](Self::assertion).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use auth_core::{Assertion, Form, assertion_fn};
    ///
    /// let source = assertion_fn(|_| async { Assertion::new("e30.e30.c2ln") });
    /// let form = Form::new("urn:ietf:params:oauth:grant-type:saml2-bearer")
    ///     .assertion_from("assertion", Arc::new(source));
    /// ```
    #[must_use]
    pub fn assertion_from(
        mut self,
        name: impl Into<Cow<'static, str>>,
        source: Arc<dyn AssertionSource>,
    ) -> Self {
        self.fields.push((name.into(), Field::Source(source)));
        self
    }

    /// Adds a text to the [shared key](super::TokenEndpoint::shared_key): what distinguishes the
    /// token of this form from that of another one, such as the account or the subject. The text is
    /// not sent.
    #[must_use]
    pub fn key_part(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.key_parts.push(text.into());
        self
    }

    /// Leaves out the parameters of the token request, for a grant whose assertion contains them:
    /// scopes, resources, audience and the others shape the token, and are not sent beside it.
    #[must_use]
    pub fn without_request_parameters(mut self) -> Self {
        self.sends_request = false;
        self
    }

    /// Returns the grant type.
    #[must_use]
    pub fn grant_type(&self) -> &str {
        &self.grant_type
    }

    pub(crate) fn sends_request(&self) -> bool {
        self.sends_request
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| &**name)
    }

    /// Returns the parameters whose values are known.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().filter_map(|(name, field)| match field {
            Field::Plain(value) => Some((&**name, &**value)),
            Field::Secret(value) => Some((&**name, value.expose())),
            Field::Source(_) => None,
        })
    }

    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.fields.iter().filter_map(|(_, field)| match field {
            Field::Secret(value) => Some(value),
            Field::Plain(_) | Field::Source(_) => None,
        })
    }

    /// Returns the sources of assertions that are made for each HTTP request.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &Arc<dyn AssertionSource>)> {
        self.fields.iter().filter_map(|(name, field)| match field {
            Field::Source(source) => Some((&**name, source)),
            Field::Plain(_) | Field::Secret(_) => None,
        })
    }

    /// Returns this form with an assertion in the place of its first source.
    pub(super) fn with_made(mut self, assertion: &Assertion) -> Self {
        let is_source = |(_, field): &&mut (_, Field)| matches!(field, Field::Source(_));
        if let Some((_, field)) = self.fields.iter_mut().find(is_source) {
            *field = Field::Secret(assertion.secret().clone());
            self.version = self.version.and(Version::of_number(assertion.version()));
        }
        self
    }

    /// Sets the version of what the grant presents, for a grant whose field is no assertion.
    pub(crate) fn presents(mut self, version: Version) -> Self {
        self.version = self.version.and(version);
        self
    }

    pub(super) fn key_parts(&self) -> impl Iterator<Item = &str> {
        self.key_parts.iter().map(|text| &**text)
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }
}

impl fmt::Debug for Form {
    /// Shows parameters by name only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Form")
            .field("grant_type", &self.grant_type)
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}
