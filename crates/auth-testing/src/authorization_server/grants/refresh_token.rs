//! The refresh token grant: RFC 6749 §6.

use super::request::GrantRequest;
use crate::{
    authorization_server::{
        granted::Granted, token_endpoint::TokenEndpoint, token_error::TokenError,
    },
    issued_tokens::scopes,
    refresh_tokens::NotRedeemed,
};

impl TokenEndpoint {
    pub(super) fn refresh_token(&self, request: &GrantRequest<'_>) -> Result<Granted, TokenError> {
        let Some(token) = request.form.value("refresh_token") else {
            return Err(TokenError::invalid_request(
                "refresh_token: expected one, got nothing",
            ));
        };
        let client = request.client.unwrap_or_default();
        let requested = request.form.value("scope").map(scopes);
        let rotate = self.rotate_refresh_tokens;
        let denied = match self.refresh_tokens.redeem(token, client, requested, rotate) {
            Ok(redeemed) => {
                let granted = Granted::of(redeemed.scopes).of_family(redeemed.family);
                return Ok(match redeemed.next {
                    Some(next) => granted.with_member("refresh_token", next),
                    None => granted,
                });
            }
            Err(NotRedeemed::Scopes) => return Err(TokenError::invalid_scope()),
            Err(NotRedeemed::Unknown) => {
                "expected one that was issued to this client, got another text"
            }
            Err(NotRedeemed::Revoked) => "it was revoked",
            Err(NotRedeemed::Reused(family)) => {
                self.tokens.revoke_family(family);
                "it was used before; all tokens that follow from the same authorization are revoked now"
            }
        };
        Err(TokenError::invalid_grant(format!(
            "refresh_token: {denied}"
        )))
    }
}
