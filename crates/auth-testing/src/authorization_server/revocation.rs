//! The revocation endpoint: RFC 7009.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header::ALLOW};

use super::{
    client_authentication::ClientRequest, parameters::Parameters, token_endpoint::TokenEndpoint,
    token_error::TokenError,
};
use crate::{answer::Answer, sync::lock};

/// The path of the revocation endpoint.
pub(super) const REVOCATION_PATH: &str = "/revoke";

impl TokenEndpoint {
    /// `base`: the origin of the server.
    pub(super) fn revoke(&self, request: &Request<Bytes>, base: &str) -> Answer {
        if request.method() != Method::POST {
            return Answer::status(StatusCode::METHOD_NOT_ALLOWED)
                .with_header(ALLOW, HeaderValue::from_static("POST"));
        }
        match self.revoked(request, base) {
            Ok(()) => Answer::status(StatusCode::OK),
            Err(error) => error.into(),
        }
    }

    fn revoked(&self, request: &Request<Bytes>, base: &str) -> Result<(), TokenError> {
        let form = &Parameters::parse(request)?;
        let (issuer, token_endpoint) = (self.issuer(base), self.url(base));
        let client = ClientRequest {
            headers: request.headers(),
            form,
            #[cfg(feature = "tls")]
            certificate: request.extensions().get(),
            received: self.received(&issuer, &token_endpoint),
            may_be_anonymous: false,
        };
        let client = client.authenticate(&self.methods, &lock(&self.clients))?;
        let Some(token) = form.value("token") else {
            return Err(TokenError::invalid_request(
                "token: expected one, got nothing",
            ));
        };
        let client = client.as_deref();
        let of_another = || {
            Err(TokenError::invalid_request(
                "token: expected one that was issued to this client, got one of another client",
            ))
        };
        match self.refresh_tokens.owner_of(token) {
            Some((owner, _)) if Some(owner.as_str()) != client => return of_another(),
            Some((_, family)) => {
                self.refresh_tokens.revoke_family(family);
                self.tokens.revoke_family(family);
            }
            None => match self.tokens.client_of(token) {
                Some(owner) if Some(owner.as_str()) != client => return of_another(),
                // a token that is not known is no error (section 2.2)
                _ => self.tokens.revoke(token),
            },
        }
        Ok(())
    }
}
