//! What every grant needs.

use crate::{
    authorization_server::{
        parameters::Parameters, token_endpoint::TokenEndpoint, token_error::TokenError,
    },
    issued_tokens::Scopes,
    received::Received,
};

/// A token request whose client is known.
pub(in crate::authorization_server) struct GrantRequest<'a> {
    pub(in crate::authorization_server) form: &'a Parameters,
    /// The client's id. A request without a client has none.
    pub(in crate::authorization_server) client: Option<&'a str>,
    #[cfg_attr(
        not(feature = "jose"),
        expect(dead_code, reason = "only for assertions")
    )]
    pub(in crate::authorization_server) received: Received<'a>,
}

impl TokenEndpoint {
    /// Returns the scopes of a token for which `requested` were requested.
    pub(super) fn permitted(&self, requested: Option<Scopes>) -> Result<Scopes, TokenError> {
        match (requested, &self.scopes) {
            (Some(requested), Some(allowed)) if !requested.is_subset(allowed) => {
                Err(TokenError::invalid_scope())
            }
            (Some(requested), _) => Ok(requested),
            (None, allowed) => Ok(allowed.clone().unwrap_or_default()),
        }
    }
}
