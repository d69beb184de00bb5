//! The token source of the client credentials grant (RFC 6749 §4.4).

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method as HttpMethod, Request, header};
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use crate::{
    ClientAuthentication, Error, ErrorKind, HttpTransport, NewConnection, SecretString,
    TokenRequest, TokenResponse, TokenSource, TransportBody,
    shared_store::SharedKey,
    token_endpoint::{Method, ReceivedResponse, TokenEndpointUrl},
};

/// The maximum size of a response, in bytes.
const MAX_RESPONSE: usize = 1 << 20;

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
        built.extensions_mut().insert(NewConnection);
        let headers = built.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
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

    /// Reads a body that may hold a token, up to [`MAX_RESPONSE`].
    async fn read(&self, mut body: TransportBody) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut read = Zeroizing::new(Vec::with_capacity(8 * 1024));
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
            read.extend_from_slice(&data);
        }
        Ok(read)
    }
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let request = request.or(&self.defaults);
        let secret = self.authentication.secret.current().await?;
        let sent = self.transport.send(self.http_request(&request, &secret)?);
        let response = sent.await.map_err(|e| e.at(&self.place()))?;
        let (head, body) = response.into_parts();
        let body = match self.read(body).await {
            // an error response is reported by its status alone
            Err(_) if !head.status.is_success() => Zeroizing::default(),
            read => read?,
        };
        let response = ReceivedResponse {
            status: head.status,
            headers: &head.headers,
            body: &body,
            endpoint: self.endpoint.without_query(),
            request: &request,
            secrets: &self.authentication.forms(&self.client_id, &secret),
        }
        .read()?;
        // RFC 6749 section 5.1: a response without scopes grants the requested ones
        Ok(match response.scopes() {
            Some(_) => response,
            None => response.with_scopes(request.scopes().clone()),
        })
    }

    /// Returns the same key in every process that has the same client id, token endpoint and
    /// authentication method. The secret is not part of the key.
    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        let endpoint = self.endpoint.uri().to_string();
        let method = self.authentication.method.name();
        let source = ["client_credentials", &endpoint, &self.client_id, method];
        Some(SharedKey::new(source, &request.or(&self.defaults)))
    }
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
