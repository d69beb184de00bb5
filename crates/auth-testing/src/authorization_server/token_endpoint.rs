//! The responses of the token endpoint: RFC 6749 §4.4, §5.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::AccessTokenType;
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ALLOW, CACHE_CONTROL, PRAGMA},
};
use serde_json::{Map, Value};

use super::{
    client_authentication::{ClientAuthenticationMethod, authenticate},
    parameters::Parameters,
    token_error::TokenError,
};
use crate::{
    answer::Answer,
    dpop::{DPOP_NONCE, ProofChecks, has_proof},
    issued_tokens::{IssuedTokens, Scopes, scopes},
    sync::lock,
};

/// Parameters that must not be in a URI (RFC 6749 §2.3.1).
const CLIENT_CREDENTIALS: [&str; 2] = ["client_id", "client_secret"];

pub(super) struct TokenEndpoint {
    pub(super) path: String,
    pub(super) clients: Mutex<HashMap<String, String>>,
    pub(super) methods: Vec<ClientAuthenticationMethod>,
    pub(super) scopes: Option<Scopes>,
    pub(super) echo_scope: bool,
    pub(super) announce_lifetime: bool,
    pub(super) lifetime: Mutex<Duration>,
    pub(super) tokens: Arc<IssuedTokens>,
    pub(super) proofs: ProofChecks,
}

impl TokenEndpoint {
    /// `url`: that of the token endpoint.
    pub(super) fn respond(&self, url: &str, request: &Request<Bytes>) -> Answer {
        if request.method() != Method::POST {
            return Answer::status(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(ALLOW, HeaderValue::from_static("POST"));
        }
        let answer = match self.grant(url, request) {
            Ok((token_type, granted)) => self.token_response(token_type, granted),
            Err(error) => error.into(),
        };
        match self.proofs.nonce() {
            Some(nonce) if has_proof(request.headers()) => answer.with_header(DPOP_NONCE, nonce),
            _ => answer,
        }
    }

    /// Returns the type of the token and the granted scopes.
    fn grant(
        &self,
        url: &str,
        request: &Request<Bytes>,
    ) -> Result<(AccessTokenType, Scopes), TokenError> {
        let query = request.uri().query().unwrap_or_default();
        if form_urlencoded::parse(query.as_bytes())
            .any(|(name, _)| CLIENT_CREDENTIALS.contains(&&*name))
        {
            return Err(TokenError::invalid_request(
                "client_id and client_secret must not be in the URI",
            ));
        }
        let form = Parameters::parse(request)?;
        authenticate(
            request.headers(),
            &form,
            &self.methods,
            &lock(&self.clients),
        )?;
        match form.value("grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(TokenError::unsupported_grant_type()),
            None => {
                return Err(TokenError::invalid_request(
                    "grant_type: expected client_credentials, got nothing",
                ));
            }
        }
        let token_type = match has_proof(request.headers()) {
            true => {
                let checked = self.proofs.check(request.method(), url, request.headers());
                checked.map_err(|error| TokenError::proof(&error))?;
                AccessTokenType::Dpop
            }
            false => AccessTokenType::Bearer,
        };
        let granted = match (form.value("scope").map(scopes), &self.scopes) {
            (Some(requested), Some(allowed)) if !requested.is_subset(allowed) => {
                Err(TokenError::invalid_scope())
            }
            (Some(requested), _) => Ok(requested),
            (None, allowed) => Ok(allowed.clone().unwrap_or_default()),
        };
        Ok((token_type, granted?))
    }

    fn token_response(&self, token_type: AccessTokenType, granted: Scopes) -> Answer {
        let lifetime = *lock(&self.lifetime);
        let scope: Vec<&str> = granted.iter().map(String::as_str).collect();
        let scope = scope.join(" ");
        let token = self.tokens.issue(token_type, lifetime, granted);
        let mut json = Map::new();
        json.insert("access_token".into(), token.into());
        json.insert("token_type".into(), token_type.scheme().into());
        if self.announce_lifetime {
            json.insert("expires_in".into(), lifetime.as_secs().into());
        }
        if self.echo_scope && !scope.is_empty() {
            json.insert("scope".into(), scope.into());
        }
        Answer::json(Value::Object(json).to_string())
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .with_header(PRAGMA, HeaderValue::from_static("no-cache"))
    }
}
