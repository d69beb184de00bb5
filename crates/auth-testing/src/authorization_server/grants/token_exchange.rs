//! Token exchange: RFC 8693.

use super::request::GrantRequest;
use crate::{
    authorization_server::{
        granted::Granted, token_endpoint::TokenEndpoint, token_error::TokenError,
    },
    issued_tokens::{Scopes, scopes},
};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The types of signed tokens that other issuers issue.
#[cfg(feature = "jose")]
const SIGNED: [&str; 3] = [
    ACCESS_TOKEN,
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:jwt",
];

impl TokenEndpoint {
    pub(super) fn exchanges_tokens(&self) -> bool {
        #[cfg(feature = "jose")]
        if !self.subject_issuers.is_empty() {
            return true;
        }
        self.exchanges_own_tokens
    }

    pub(super) fn token_exchange(&self, request: &GrantRequest<'_>) -> Result<Granted, TokenError> {
        let form = request.form;
        let of_subject = self.presented(request, "subject_token", "subject_token_type")?;
        let Some(of_subject) = of_subject else {
            return Err(TokenError::invalid_request(
                "subject_token: expected one, got nothing",
            ));
        };
        self.presented(request, "actor_token", "actor_token_type")?;
        if let Some(requested) = form.value("requested_token_type")
            && requested != ACCESS_TOKEN
        {
            return Err(TokenError::invalid_request(format!(
                "requested_token_type: expected {ACCESS_TOKEN}, got {requested}"
            )));
        }
        let requested = form.value("scope").map(scopes);
        let granted = match of_subject {
            // a token of this server yields no more than it was granted
            Subject::OwnToken(granted) => match requested {
                Some(requested) if !requested.is_subset(&granted) => {
                    return Err(TokenError::invalid_scope());
                }
                requested => self.permitted(Some(requested.unwrap_or(granted)))?,
            },
            #[cfg(feature = "jose")]
            Subject::Signed => self.permitted(requested)?,
        };
        Ok(Granted::of(granted).with_member("issued_token_type", ACCESS_TOKEN))
    }

    /// Checks the token in a parameter. Returns `None` if the request has neither the token nor its type.
    fn presented(
        &self,
        request: &GrantRequest<'_>,
        name: &str,
        type_name: &str,
    ) -> Result<Option<Subject>, TokenError> {
        let (token, token_type) = match (request.form.value(name), request.form.value(type_name)) {
            (None, None) => return Ok(None),
            (Some(token), Some(token_type)) => (token, token_type),
            (Some(_), None) | (None, Some(_)) => {
                return Err(TokenError::invalid_request(format!(
                    "expected {name} and {type_name}, got one of them"
                )));
            }
        };
        if self.exchanges_own_tokens
            && token_type == ACCESS_TOKEN
            && let Some(granted) = self.tokens.granted(token)
        {
            let (_token_type, scopes) = granted;
            return Ok(Some(Subject::OwnToken(scopes)));
        }
        let invalid = |fault: String| TokenError::invalid_request(format!("{name}: {fault}"));
        #[cfg(feature = "jose")]
        if !self.subject_issuers.is_empty() {
            if !SIGNED.contains(&token_type) {
                let expected = SIGNED.join(", ");
                return Err(TokenError::invalid_request(format!(
                    "{type_name}: expected one of {expected}, got {token_type}"
                )));
            }
            self.verify_signed(token, request).map_err(invalid)?;
            return Ok(Some(Subject::Signed));
        }
        Err(invalid(
            "expected an active access token of this server, with its type, got another text"
                .into(),
        ))
    }

    #[cfg(feature = "jose")]
    fn verify_signed(&self, token: &str, request: &GrantRequest<'_>) -> Result<(), String> {
        let claims = crate::assertion::Claims::read(token)?;
        let issuer = claims.text("iss").unwrap_or_default();
        let mut issuers = self.subject_issuers.iter();
        let Some(verifier) = issuers.find(|verifier| verifier.is_of_issuer(issuer, None)) else {
            return Err(format!("iss: expected a trusted issuer, got {issuer}"));
        };
        verifier.verify(token, None, &request.received).map(drop)
    }
}

/// A token that was presented.
enum Subject {
    OwnToken(Scopes),
    #[cfg(feature = "jose")]
    Signed,
}
