//! The token source of the client credentials grant (RFC 6749 §4.4).

use std::{cell::OnceCell, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use http_body_util::BodyExt;
use tokio::task::coop;
use zeroize::Zeroizing;

use super::{
    denied::DeniedCredentials,
    http_request::{Client, RequestSettings},
    issued_tokens::IssuedTokens,
    warnings::Warnings,
};
use crate::{
    ClientAuthentication, Error, ErrorKind, HttpTransport, SecretString, TokenRequest,
    TokenResponse, TokenSource, TransportBody,
    attempt_time::AttemptTime,
    redact::clean_error,
    shared_store::SharedKey,
    token_endpoint::{ReceivedResponse, TokenEndpointUrl},
};

/// The maximum size of a response, in bytes.
const MAX_RESPONSE: usize = 1 << 20;
/// How long the body of a failure may take. Its status is known before.
const FAILURE_BODY_PATIENCE: Duration = Duration::from_secs(1);

/// The maximum number of a response's frames. Frames without data take no part in its size.
const MAX_FRAMES: usize = 1 << 16;

/// Requests access tokens from a token endpoint by the client credentials grant
/// ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
///
/// Each call of [`fetch`](TokenSource::fetch) sends one token request. A
/// [`TokenCache`](crate::TokenCache) decides when.
///
/// ```
/// # use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport};
/// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
/// let grant = ClientCredentials::builder(
///     "https://as.example.com/oauth/token",
///     "my-client",
///     ClientAuthentication::client_secret_basic("s3cr3t"),
/// )
/// .scope("document_read")
/// .build(transport)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientCredentials {
    pub(super) endpoint: TokenEndpointUrl,
    pub(super) client_id: String,
    pub(super) authentication: ClientAuthentication,
    pub(super) defaults: TokenRequest,
    pub(super) settings: RequestSettings,
    pub(super) transport: Arc<dyn HttpTransport>,
    /// The token types that count as `Bearer`, apart from itself.
    pub(super) accepted_types: Arc<[String]>,
    pub(super) warnings: Arc<Warnings>,
    pub(super) denied: DeniedCredentials,
    /// Clones share the issued tokens.
    pub(super) issued: Arc<IssuedTokens>,
}

impl ClientCredentials {
    /// Returns the texts to redact from texts of the server and of the transport.
    fn secrets(&self, secret: &SecretString) -> Vec<SecretString> {
        let mut secrets = self.authentication.forms(&self.client_id, secret);
        secrets.extend(self.issued.tokens());
        secrets
    }

    /// Returns the token endpoint, for the beginning of error texts.
    fn place(&self) -> String {
        format!("token endpoint {}", self.endpoint.without_query())
    }

    /// Appends a body that may hold a token to `read`, up to [`MAX_RESPONSE`] and [`MAX_FRAMES`].
    /// After an error, or if the caller stops, `read` has the part that was received.
    async fn read(
        &self,
        mut body: TransportBody,
        read: &mut Zeroizing<Vec<u8>>,
        secrets: &[SecretString],
    ) -> Result<(), Error> {
        let too_large =
            |what: &str| Error::new(ErrorKind::InvalidResponse, what.to_owned()).at(&self.place());
        for _ in 0..MAX_FRAMES {
            // a body that is always ready must not keep the thread
            coop::consume_budget().await;
            let Some(frame) = body.frame().await else {
                return Ok(());
            };
            let frame = frame.map_err(|e| {
                let error = Error::new(
                    ErrorKind::Connection,
                    "the response ended early, before its body was complete",
                );
                clean_error(error.with_source(e), secrets).at(&self.place())
            })?;
            let data = frame.into_data().unwrap_or_default();
            if read.len() + data.len() > MAX_RESPONSE {
                return Err(too_large(
                    "expected a response of at most 1 MiB, got a larger one",
                ));
            }
            append(read, &data);
        }
        Err(too_large(
            "expected a response body of at most 65,536 frames, got more",
        ))
    }

    /// Sends a token request, and reads the response.
    async fn request_token(
        &self,
        request: &TokenRequest,
        secret: &SecretString,
    ) -> Result<TokenResponse, Error> {
        let client = Client {
            endpoint: &self.endpoint,
            id: &self.client_id,
            method: self.authentication.method,
            secret,
        };
        let sent = self.settings.http_request(&client, request)?;
        let sent = self.transport.send(sent).await;
        let secrets = self.secrets(secret);
        let response = sent.map_err(|e| clean_error(e, &secrets).at(&self.place()))?;
        let (head, body) = response.into_parts();
        let mut received = Zeroizing::default();
        let read = self.read(body, &mut received, &secrets);
        let attempt = AttemptTime::current();
        if head.status.is_success() {
            read.await?;
        } else {
            // a failure is reported by its status, and by the part of its body that was received
            let _ = attempt.within(FAILURE_BODY_PATIENCE, read).await;
        }
        let read = ReceivedResponse {
            status: head.status,
            headers: &head.headers,
            body: &received,
            endpoint: self.endpoint.without_query(),
            request,
            secrets: &secrets,
            accepted_types: &self.accepted_types,
            wall: attempt.wall(),
            echoes: OnceCell::new(),
        }
        .read()?;
        self.warnings.log(&read, self.endpoint.without_query());
        let response = read.response;
        self.issued.add(&response);
        // RFC 6749 section 5.1: a response without scopes grants the requested ones
        Ok(match response.scopes() {
            Some(_) => response,
            None => response.with_scopes(request.scopes().clone()),
        })
    }
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let request = request.or(&self.defaults);
        let secret = self
            .denied
            .read(self.authentication.secret.current().await)?;
        let response = self.request_token(&request, &secret).await;
        response.map_err(|error| self.denied.denied(error, &secret))
    }

    /// Returns the same key in every process that has the same client id, token endpoint and
    /// authentication method. The secret is not part of the key.
    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        let endpoint = self.endpoint.uri().to_string();
        let method = self.authentication.method.name();
        let source = ["client_credentials", &endpoint, &self.client_id, method];
        Some(SharedKey::new(source, &request.or(&self.defaults)))
    }

    /// Returns `request`, completed by the builder's scope, resources, audience and parameters.
    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        request.or(&self.defaults)
    }

    /// Reads the secret, and compares a keyed hash of it with that of the secret which was denied, or
    /// which could not be read.
    async fn credentials_changed(&self) -> bool {
        if self.authentication.secret.is_fixed() {
            return false;
        }
        match self.authentication.secret.current().await {
            Ok(secret) => self.denied.differ_from(&secret),
            Err(_) => false,
        }
    }
}

/// Appends to octets that may hold a token. Growing wipes the smaller copy.
fn append(octets: &mut Zeroizing<Vec<u8>>, data: &[u8]) {
    let length = octets.len() + data.len();
    if length > octets.capacity() {
        let capacity = length.max(2 * octets.capacity()).max(8 * 1024);
        let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
        larger.extend_from_slice(octets);
        *octets = larger;
    }
    octets.extend_from_slice(data);
}

impl fmt::Debug for ClientCredentials {
    /// Leaves out the transport: its client may print default headers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("token_endpoint", &self.endpoint.without_query())
            .field("client_id", &self.client_id)
            .field("authentication", &self.authentication)
            .field("defaults", &self.defaults)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
