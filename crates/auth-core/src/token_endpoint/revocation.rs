//! Revokes tokens at the revocation endpoint (RFC 7009).

use std::cell::OnceCell;

use bytes::Bytes;
use http::{Request, Response};
use zeroize::Zeroizing;

use super::{
    authentication::{Credential, Credentials},
    body::read_body,
    endpoint::{FAILURE_BODY_PATIENCE, TokenEndpoint, context},
    form::Form,
    http_request::Client,
    response::ReceivedResponse,
    role::Role,
    url::TokenEndpointUrl,
};
use crate::{
    AccessTokenType, Error, SecretString, TokenRequest, TransportBody, attempt_time::AttemptTime,
    redact::clean_error, token::check_token,
};

impl TokenEndpoint {
    /// Revokes an access token at the
    /// [revocation endpoint](crate::TokenEndpointBuilder::revocation_endpoint), or at the one that the
    /// metadata of the server names
    /// ([RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1)): for a token source of
    /// your own. [`TokenCache::revoke`](crate::TokenCache::revoke) revokes the token of a cache.
    ///
    /// The client authenticates as it does at the token endpoint. A source of client assertions sees an
    /// empty [grant type](crate::AssertionContext::grant_type).
    ///
    /// # Errors
    /// If there is no revocation endpoint, or if the token may not have been revoked. A token that the
    /// server does not know is no error (RFC 7009 §2.2). After a 503 the token is still valid, and
    /// [`Error::server_retry_after`] returns how long the server asked to wait.
    ///
    /// ```
    /// use auth_core::{
    ///     AccessToken, Error, Form, TokenEndpoint, TokenRequest, TokenResponse, TokenSource, async_trait,
    /// };
    ///
    /// /// A grant of one's own.
    /// #[derive(Debug)]
    /// struct AccountCredentials(TokenEndpoint);
    ///
    /// #[async_trait]
    /// impl TokenSource for AccountCredentials {
    ///     async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
    ///         self.0.request(&Form::new("account_credentials"), request).await
    ///     }
    ///
    ///     async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
    ///         self.0.revoke(token.secret()).await
    ///     }
    /// }
    /// ```
    pub async fn revoke(&self, token: &str) -> Result<(), Error> {
        let located = self.locate().await?;
        let set = self.inner().revocation_endpoint.as_ref();
        let Some(endpoint) = set.or(located.revocation.as_deref()) else {
            return Err(Error::configuration(format!(
                "revocation endpoint: expected one for the token endpoint {}, got none; set it with \
                 revocation_endpoint()",
                self.url()
            )));
        };
        check_token(token)
            .map_err(|what| Error::configuration(format!("token to revoke: {what}")))?;
        let form = Form::new("");
        let context = context(
            &located,
            self.client_id(),
            form.grant_type(),
            &TokenRequest::default(),
        );
        let Credentials { proofs, .. } = self.credentials(&form, &context).await?;
        let mut proofs = proofs.iter().peekable();
        while let Some(proof) = proofs.next() {
            match self.revoke_with(endpoint, proof, token).await {
                Ok(()) => {
                    proof.works();
                    return Ok(());
                }
                Err(error) if error.denies_client() && proofs.peek().is_some() => {}
                Err(error) => return Err(self.inner().location.failed(error)),
            }
        }
        // there is at least one proof
        Err(Error::configuration(
            "client secret: expected one, got none",
        ))
    }

    async fn revoke_with(
        &self,
        endpoint: &TokenEndpointUrl,
        proof: &Credential<'_>,
        token: &str,
    ) -> Result<(), Error> {
        let inner = self.inner();
        let client = Client {
            endpoint,
            id: self.client_id(),
            method: inner.authentication.method(),
            credential: proof,
        };
        let built: Request<Bytes> = inner.settings.revocation(&client, token)?;
        let mut secrets = self.secrets(proof);
        secrets.push(SecretString::from(token));
        let place = format!(
            "{} {}",
            Role::Revocation.endpoint(),
            endpoint.without_query()
        );
        let sent = inner.transport.send(built);
        let response = inner.location.sending().until(sent).await;
        let response = response.map_err(|e| clean_error(e, &secrets).at(&place))?;
        // RFC 7009 section 2.2: all is said by the status
        match response.status().is_success() {
            true => Ok(()),
            false => Err(self.not_revoked(endpoint, response, &secrets).await),
        }
    }

    async fn not_revoked(
        &self,
        endpoint: &TokenEndpointUrl,
        response: Response<TransportBody>,
        secrets: &[SecretString],
    ) -> Error {
        let (head, body) = response.into_parts();
        let mut received = Zeroizing::default();
        let attempt = AttemptTime::current();
        let place = format!(
            "{} {}",
            Role::Revocation.endpoint(),
            endpoint.without_query()
        );
        let read = read_body(body, &mut received, &place, secrets);
        // the failure is reported by its status, and by the part of its body that was received
        let _ = attempt.within(FAILURE_BODY_PATIENCE, read).await;
        ReceivedResponse {
            status: head.status,
            headers: &head.headers,
            body: &received,
            role: Role::Revocation,
            endpoint: endpoint.without_query(),
            grant_type: "",
            client_advice: self.inner().authentication.method().advice(),
            request: &TokenRequest::default(),
            secrets,
            accepted_types: &[],
            token_type: AccessTokenType::Bearer,
            wall: attempt.wall(),
            echoes: OnceCell::new(),
        }
        .not_revoked()
    }
}
