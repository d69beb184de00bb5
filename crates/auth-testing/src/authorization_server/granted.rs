//! What a grant yields.

use serde_json::{Map, Value};

use crate::issued_tokens::{Family, Scopes};

/// What a token response grants.
#[derive(Debug, Default)]
pub(super) struct Granted {
    pub(super) scopes: Scopes,
    /// The refresh tokens and access tokens that are revoked together with the token.
    pub(super) family: Option<Family>,
    /// Members of the response, beside those of every token response.
    pub(super) members: Map<String, Value>,
}

impl Granted {
    pub(super) fn of(scopes: Scopes) -> Self {
        Self {
            scopes,
            ..Self::default()
        }
    }

    pub(super) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }
}
