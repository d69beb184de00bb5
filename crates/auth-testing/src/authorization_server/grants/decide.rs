//! Decides by the grant type.

use super::request::GrantRequest;
use crate::{
    authorization_server::{
        granted::Granted, token_endpoint::TokenEndpoint, token_error::TokenError,
    },
    issued_tokens::scopes,
};

const CLIENT_CREDENTIALS: &str = "client_credentials";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const REFRESH_TOKEN: &str = "refresh_token";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

impl TokenEndpoint {
    /// Returns the grant types that the server supports.
    pub(in crate::authorization_server) fn grant_types(&self) -> Vec<&'static str> {
        let mut types = vec![CLIENT_CREDENTIALS, REFRESH_TOKEN];
        if self.exchanges_tokens() {
            types.push(TOKEN_EXCHANGE);
        }
        #[cfg(feature = "jose")]
        if !self.grant_issuers.is_empty() {
            types.push(JWT_BEARER);
        }
        types
    }

    /// Returns whether a request of this grant type needs no client.
    pub(in crate::authorization_server) fn needs_no_client(grant_type: Option<&str>) -> bool {
        grant_type == Some(JWT_BEARER)
    }

    /// Decides what a request is granted.
    pub(in crate::authorization_server) fn grant(
        &self,
        request: &GrantRequest<'_>,
    ) -> Result<Granted, TokenError> {
        let unsupported = || TokenError::unsupported_grant_type(&self.grant_types());
        match request.form.value("grant_type") {
            Some(CLIENT_CREDENTIALS) if request.client.is_some() => {
                let requested = request.form.value("scope").map(scopes);
                Ok(Granted::of(self.permitted(requested)?))
            }
            Some(CLIENT_CREDENTIALS) => Err(TokenError::invalid_client(
                "expected a client for the grant client_credentials, got none",
            )),
            Some(REFRESH_TOKEN) => self.refresh_token(request),
            Some(TOKEN_EXCHANGE) if self.exchanges_tokens() => self.token_exchange(request),
            #[cfg(feature = "jose")]
            Some(JWT_BEARER) if !self.grant_issuers.is_empty() => self.jwt_bearer(request),
            Some(_) => Err(unsupported()),
            None => Err(TokenError::invalid_request(
                "grant_type: expected one, got nothing",
            )),
        }
    }
}
