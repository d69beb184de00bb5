//! The token source of the client credentials grant (RFC 6749 §4.4).

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method as HttpMethod, Request, header};
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use super::{denied::DeniedCredentials, warnings::Warnings};
use crate::{
    ClientAuthentication, Error, ErrorKind, HttpTransport, SecretString, TokenRequest,
    TokenResponse, TokenSource, TransportBody,
    attempt_time::AttemptTime,
    shared_store::SharedKey,
    token_endpoint::{Method, ReceivedResponse, TokenEndpointUrl},
};

/// The maximum size of a response, in bytes.
const MAX_RESPONSE: usize = 1 << 20;
/// How long the body of a failure may take. Its status is known before.
const FAILURE_BODY_PATIENCE: Duration = Duration::from_secs(1);

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
    pub(super) transport: Arc<dyn HttpTransport>,
    /// The token types that count as `Bearer`, apart from itself.
    pub(super) accepted_types: Arc<[String]>,
    pub(super) warnings: Arc<Warnings>,
    pub(super) denied: DeniedCredentials,
}

impl ClientCredentials {
    /// Returns the HTTP request of RFC 6749 §4.4.2. Its parameters are in the order of the
    /// providers' documents.
    fn http_request(
        &self,
        request: &TokenRequest,
        secret: &SecretString,
    ) -> Result<Request<Bytes>, Error> {
        self.endpoint
            .check_parameters(request.parameters().map(|(name, _)| name))?;
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(1024));
        form.append_pair("grant_type", "client_credentials");
        if !request.scopes().is_empty() {
            form.append_pair("scope", &request.scopes().to_string());
        }
        form.extend_pairs(request.resources().map(|resource| ("resource", resource)));
        form.extend_pairs(request.audience().map(|audience| ("audience", audience)));
        form.extend_pairs(request.parameters());
        let method = self.authentication.method;
        if method == Method::Post {
            form.append_pair("client_id", &self.client_id);
            form.append_pair("client_secret", secret.expose());
        }
        let body = Bytes::from_owner(Zeroizing::new(form.finish().into_bytes()));

        let mut built = Request::new(body);
        *built.method_mut() = HttpMethod::POST;
        *built.uri_mut() = self.endpoint.uri().clone();
        let headers = built.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if method != Method::Post {
            let value = method.basic_header(&self.client_id, secret.expose());
            let value = value.ok_or_else(|| {
                Error::configuration(
                    "client id or secret: expected text that an HTTP header can hold",
                )
            })?;
            headers.insert(header::AUTHORIZATION, value);
        }
        Ok(built)
    }

    /// Returns the token endpoint, for the beginning of error texts.
    fn place(&self) -> String {
        format!("token endpoint {}", self.endpoint.without_query())
    }

    /// Appends a body that may hold a token to `read`, up to [`MAX_RESPONSE`]. After an error, or if
    /// the caller stops, `read` has the part that was received.
    async fn read(
        &self,
        mut body: TransportBody,
        read: &mut Zeroizing<Vec<u8>>,
    ) -> Result<(), Error> {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| {
                Error::new(
                    ErrorKind::Connection,
                    "the response ended early, before its body was complete",
                )
                .with_source(e)
                .at(&self.place())
            })?;
            let data = frame.into_data().unwrap_or_default();
            if read.len() + data.len() > MAX_RESPONSE {
                return Err(Error::new(
                    ErrorKind::InvalidResponse,
                    "expected a response of at most 1 MiB, got a larger one",
                )
                .at(&self.place()));
            }
            append(read, &data);
        }
        Ok(())
    }

    /// Sends a token request, and reads the response.
    async fn request_token(
        &self,
        request: &TokenRequest,
        secret: &SecretString,
    ) -> Result<TokenResponse, Error> {
        let sent = self.transport.send(self.http_request(request, secret)?);
        let response = sent.await.map_err(|e| e.at(&self.place()))?;
        let (head, body) = response.into_parts();
        let mut received = Zeroizing::default();
        let read = self.read(body, &mut received);
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
            secrets: &self.authentication.forms(&self.client_id, secret),
            accepted_types: &self.accepted_types,
            wall: attempt.wall(),
        }
        .read()?;
        self.warnings.log(&read, self.endpoint.without_query());
        let response = read.response;
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
        if self.authentication.secret.fixed().is_some() {
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("token_endpoint", &self.endpoint.without_query())
            .field("client_id", &self.client_id)
            .field("authentication", &self.authentication)
            .field("defaults", &self.defaults)
            .field("transport", &self.transport)
            .finish()
    }
}
