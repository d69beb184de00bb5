//! The client credentials grant: RFC 6749 §4.4.

mod authentication;
mod builder;
mod endpoint;
mod response;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method as HttpMethod, Request, header};
use http_body_util::BodyExt;
use zeroize::Zeroizing;

pub use authentication::ClientAuthentication;
pub(crate) use authentication::Method;
pub use builder::ClientCredentialsBuilder;
pub(crate) use builder::PresetScope;

use crate::{
    Error, ErrorKind, HttpTransport, SecretString, SharedKey, TokenRequest, TokenResponse,
    TokenSource, TransportBody,
};
use authentication::basic;
use endpoint::TokenEndpoint;
use response::Answer;

/// The largest answer that is read, in bytes.
const LARGEST_RESPONSE: usize = 1 << 20;

/// Asks a token endpoint for access tokens by the client credentials grant
/// ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
///
/// It asks once per call; [`TokenCache`](crate::TokenCache) decides when.
///
/// ```
/// # use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport};
/// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
/// let credentials = ClientCredentials::builder(
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
    endpoint: TokenEndpoint,
    client_id: String,
    authentication: ClientAuthentication,
    defaults: TokenRequest,
    transport: Arc<dyn HttpTransport>,
}

impl ClientCredentials {
    /// Starts with the three things every client has.
    pub fn builder(
        token_endpoint: impl Into<String>,
        client_id: impl Into<String>,
        authentication: ClientAuthentication,
    ) -> ClientCredentialsBuilder {
        ClientCredentialsBuilder::new(token_endpoint.into(), client_id.into(), authentication)
    }

    /// The request of RFC 6749 §4.4.2. Members come in the order in which providers document them.
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
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if method != Method::Post {
            let value = basic(method, &self.client_id, secret.expose()).ok_or_else(|| {
                Error::configuration("client id or secret: not fit for an HTTP header")
            })?;
            headers.insert(header::AUTHORIZATION, value);
        }
        Ok(built)
    }

    /// What error texts begin with.
    fn place(&self) -> String {
        format!("token endpoint {}", self.endpoint.name())
    }

    /// Reads an answer that may hold a token; no more than the cap is kept.
    async fn read(&self, mut body: TransportBody) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut read = Zeroizing::new(Vec::with_capacity(8 * 1024));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| {
                Error::new(ErrorKind::Connection, "the answer broke off")
                    .with_source(e)
                    .at(&self.place())
            })?;
            let data = frame.into_data().unwrap_or_default();
            if read.len() + data.len() > LARGEST_RESPONSE {
                return Err(Error::new(
                    ErrorKind::InvalidResponse,
                    "expected an answer of at most 1 MiB, got a larger one",
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
        let answered = sent.await.map_err(|e| e.at(&self.place()))?;
        let (head, body) = answered.into_parts();
        let body = match self.read(body).await {
            // the status says enough, whatever else there was to read
            Err(_) if !head.status.is_success() => Zeroizing::default(),
            read => read?,
        };
        let mut response = Answer {
            status: head.status,
            headers: &head.headers,
            body: &body,
            endpoint: self.endpoint.name(),
            request: &request,
            secrets: &self.authentication.forms(&self.client_id, &secret),
        }
        .read()?;
        // RFC 6749 section 5.1: where the answer is silent, what was asked for was granted
        response
            .scopes
            .get_or_insert_with(|| request.scopes().clone());
        Ok(response)
    }

    /// The same for every process that asks as the same client at the same place in the same way;
    /// the secret takes no part in it.
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
            .field("token_endpoint", &self.endpoint.name())
            .field("client_id", &self.client_id)
            .field("authentication", &self.authentication)
            .field("defaults", &self.defaults)
            .field("transport", &self.transport)
            .finish()
    }
}
