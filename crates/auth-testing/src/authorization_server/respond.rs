//! The responses of the token endpoint: RFC 6749 §5.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, StatusCode,
    header::{ALLOW, CACHE_CONTROL, PRAGMA},
};
use serde_json::{Map, Value};

use super::{
    client_authentication::ClientRequest, granted::Granted, grants::GrantRequest,
    parameters::Parameters, token_endpoint::TokenEndpoint, token_error::TokenError,
};
use crate::{
    answer::Answer,
    dpop::{DPOP_NONCE, has_proof},
    peer_certificate::PeerCertificate,
    sync::lock,
};

/// Parameters that must not be in a URI (RFC 6749 §2.3.1).
const CLIENT_CREDENTIALS: [&str; 3] = ["client_assertion", "client_id", "client_secret"];

impl TokenEndpoint {
    /// `base`: the origin of the server. `url`: that of the request, as the client wrote it.
    pub(super) fn respond(&self, request: &Request<Bytes>, base: &str, url: &str) -> Answer {
        if request.method() != Method::POST {
            return Answer::status(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(ALLOW, HeaderValue::from_static("POST"));
        }
        let answer = match self.granted(request, base, url) {
            Ok(granted) => self.token_response(granted),
            Err(error) => error.into(),
        };
        match self.proofs.nonce() {
            Some(nonce) if has_proof(request.headers()) => answer.with_header(DPOP_NONCE, nonce),
            _ => answer,
        }
    }

    fn granted(
        &self,
        request: &Request<Bytes>,
        base: &str,
        url: &str,
    ) -> Result<Granted, TokenError> {
        let query = request.uri().query().unwrap_or_default();
        if form_urlencoded::parse(query.as_bytes())
            .any(|(name, _)| CLIENT_CREDENTIALS.contains(&&*name))
        {
            return Err(TokenError::invalid_request(
                "client_id, client_secret and client_assertion must not be in the URI",
            ));
        }
        let form = &Parameters::parse(request)?;
        let (issuer, token_endpoint) = (self.issuer(base), self.url(base));
        let received = self.received(&issuer, &token_endpoint);
        let client = ClientRequest {
            headers: request.headers(),
            form,
            #[cfg(feature = "tls")]
            certificate: request.extensions().get(),
            received,
            may_be_anonymous: Self::needs_no_client(form.value("grant_type")),
        };
        let client = client.authenticate(&self.methods, &lock(&self.clients))?;
        let is_missing = |name: &&String| form.value(name).is_none();
        if let Some(missing) = self.required_parameters.iter().find(is_missing) {
            return Err(TokenError::invalid_request(format!(
                "{missing}: expected this parameter, got none"
            )));
        }
        let has_proof = has_proof(request.headers());
        if has_proof {
            let checked = self.proofs.check(request.method(), url, request.headers());
            checked.map_err(|error| TokenError::proof(&error))?;
        }
        self.grant(&GrantRequest {
            form,
            client: client.as_deref(),
            received,
        })
        .map(|granted| {
            let certificate = request.extensions().get::<PeerCertificate>();
            let certificate = certificate.filter(|_| self.binds_to_certificates);
            granted
                .of_client(client)
                .with_proof(has_proof)
                .bound_to(certificate.map(|certificate| Arc::clone(&certificate.thumbprint)))
        })
    }

    fn token_response(&self, granted: Granted) -> Answer {
        let lifetime = *lock(&self.lifetime);
        let scope: Vec<&str> = granted.scopes.iter().map(String::as_str).collect();
        let scope = scope.join(" ");
        let token_type = granted.owner.token_type();
        let token = self
            .tokens
            .issue_to(lifetime, granted.scopes, granted.owner);
        let mut json = Map::new();
        json.insert("access_token".into(), token.into());
        json.insert("token_type".into(), token_type.scheme().into());
        if self.announce_lifetime {
            json.insert("expires_in".into(), lifetime.as_secs().into());
        }
        if self.echo_scope && !scope.is_empty() {
            json.insert("scope".into(), scope.into());
        }
        json.extend(granted.members);
        json.extend(self.response_members.clone());
        Answer::json(Value::Object(json).to_string())
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .with_header(PRAGMA, HeaderValue::from_static("no-cache"))
    }
}
