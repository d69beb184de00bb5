//! The JWT bearer grant: RFC 7523 §2.1.

use super::request::GrantRequest;
use crate::{
    assertion::{AssertionVerifier, Claims},
    authorization_server::{
        granted::Granted, token_endpoint::TokenEndpoint, token_error::TokenError,
    },
    issued_tokens::scopes,
};

impl TokenEndpoint {
    pub(super) fn jwt_bearer(&self, request: &GrantRequest<'_>) -> Result<Granted, TokenError> {
        let Some(assertion) = request.form.value("assertion") else {
            return Err(TokenError::invalid_request(
                "assertion: expected a JWT, got nothing",
            ));
        };
        let denied = |fault: String| TokenError::invalid_grant(format!("assertion: {fault}"));
        let claims = Claims::read(assertion).map_err(denied)?;
        let issuer = claims.text("iss").unwrap_or_default();
        let subject = claims.text("sub").unwrap_or_default();
        let of_issuer = |verifier: &&AssertionVerifier| verifier.is_of_issuer(issuer, None);
        let mut trusted = self.grant_issuers.iter().filter(of_issuer).peekable();
        // the issuer of another subject, so that the description can say which one is expected
        let first = trusted.peek().copied();
        let exact = trusted.find(|verifier| verifier.is_of_subject(subject, None));
        let Some(verifier) = exact.or(first) else {
            return Err(denied(format!(
                "iss: expected a registered issuer, got {issuer}"
            )));
        };
        let claims = verifier
            .verify(assertion, None, &request.received)
            .map_err(denied)?;
        let requested = match verifier.reads_scope_claim() {
            true => claims.text("scope"),
            false => request.form.value("scope"),
        };
        Ok(Granted::of(self.permitted(requested.map(scopes))?))
    }
}
