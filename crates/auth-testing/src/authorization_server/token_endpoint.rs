//! The state of a token endpoint.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Map, Value};

use super::{client::RegisteredClient, client_authentication::ClientAuthenticationMethod};
#[cfg(feature = "jose")]
use crate::assertion::AssertionVerifier;
use crate::{
    dpop::ProofChecks,
    issued_tokens::{IssuedTokens, Scopes},
    received::Received,
    refresh_tokens::RefreshTokens,
    sync::lock,
};

pub(super) struct TokenEndpoint {
    pub(super) path: Mutex<String>,
    pub(super) issuer_path: String,
    pub(super) clients: Mutex<HashMap<String, RegisteredClient>>,
    pub(super) methods: Vec<ClientAuthenticationMethod>,
    #[cfg(feature = "jose")]
    pub(super) grant_issuers: Vec<AssertionVerifier>,
    #[cfg(feature = "jose")]
    pub(super) subject_issuers: Vec<AssertionVerifier>,
    pub(super) exchanges_own_tokens: bool,
    pub(super) binds_to_certificates: bool,
    pub(super) rotate_refresh_tokens: bool,
    pub(super) required_parameters: Vec<String>,
    pub(super) scopes: Option<Scopes>,
    pub(super) echo_scope: bool,
    pub(super) announce_lifetime: bool,
    pub(super) lifetime: Mutex<Duration>,
    pub(super) response_members: Map<String, Value>,
    pub(super) tokens: Arc<IssuedTokens>,
    pub(super) proofs: ProofChecks,
    pub(super) refresh_tokens: RefreshTokens,
}

impl TokenEndpoint {
    /// `base`: the origin of the server.
    pub(super) fn issuer(&self, base: &str) -> String {
        format!("{base}{}", self.issuer_path)
    }

    /// Returns what assertions are verified against.
    pub(super) fn received<'a>(&self, issuer: &'a str, token_endpoint: &'a str) -> Received<'a> {
        Received {
            issuer,
            token_endpoint,
            now: self.tokens.clock.now().wall,
        }
    }

    pub(super) fn url(&self, base: &str) -> String {
        format!("{base}{}", lock(&self.path))
    }
}
