//! What a grant yields.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::issued_tokens::{Family, Owner, Scopes};

/// What a token response grants.
#[derive(Debug, Default)]
pub(super) struct Granted {
    pub(super) scopes: Scopes,
    pub(super) owner: Owner,
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

    pub(super) fn of_family(mut self, family: Family) -> Self {
        self.owner.family = Some(family);
        self
    }

    pub(super) fn of_client(mut self, client: Option<String>) -> Self {
        self.owner.client = client;
        self
    }

    /// Sets whether the client has proved that it has a key, to which the token is then bound.
    pub(super) fn with_proof(mut self, has_proof: bool) -> Self {
        self.owner.has_proof = has_proof;
        self
    }

    pub(super) fn bound_to(mut self, certificate: Option<Arc<str>>) -> Self {
        self.owner.certificate = certificate;
        self
    }

    pub(super) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }
}
