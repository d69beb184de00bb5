//! The form of a token request: what a grant sends beside the parameters of a [`TokenRequest`].

use std::{borrow::Cow, fmt};

use crate::{Assertion, SecretString, version::Version};

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
    fields: Vec<(Cow<'static, str>, SecretString)>,
    sends_request: bool,
    version: Version,
}

impl Form {
    /// Starts with a grant type.
    pub fn new(grant_type: impl Into<Cow<'static, str>>) -> Self {
        Self {
            grant_type: grant_type.into(),
            fields: Vec::new(),
            sends_request: true,
            version: Version::default(),
        }
    }

    /// Adds a parameter of the grant. Its value is treated like a secret: it is wiped, and struck out
    /// where the server repeats it in an error.
    #[must_use]
    pub fn field(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<SecretString>,
    ) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds an assertion. A denial is remembered with its [version](Assertion::version), so that
    /// [`TokenEndpoint::credentials_changed`](super::TokenEndpoint::credentials_changed) can tell
    /// whether the next one differs.
    #[must_use]
    pub fn assertion(mut self, name: impl Into<Cow<'static, str>>, assertion: &Assertion) -> Self {
        let version = Version::of_number(assertion.version());
        self.version = [self.version, version].into_iter().collect();
        self.field(name, assertion.secret().clone())
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

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.fields.iter().map(|(name, value)| (&**name, value))
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
