//! The client credentials grant: RFC 6749 §4.4.

mod authentication;
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

use crate::{
    Error, ErrorKind, HttpTransport, SecretString, SharedKey, TokenRequest, TokenResponse,
    TokenSource, TransportBody, request::TokenRequestBuilder,
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
        ClientCredentialsBuilder {
            token_endpoint: token_endpoint.into(),
            client_id: client_id.into(),
            authentication,
            defaults: TokenRequest::builder(),
            preset_scope: PresetScope::None,
            allow_http: false,
        }
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
        let source = [&endpoint, &self.client_id, method];
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

/// Makes [`ClientCredentials`]; what is wrong is told by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct ClientCredentialsBuilder {
    token_endpoint: String,
    client_id: String,
    authentication: ClientAuthentication,
    defaults: TokenRequestBuilder,
    preset_scope: PresetScope,
    allow_http: bool,
}

/// What a provider's preset says of scopes, for a client that names none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PresetScope {
    None,
    Default(&'static str),
    /// The provider of this name refuses a request without one.
    RequiredBy(&'static str),
}

impl ClientCredentialsBuilder {
    /// Asks elsewhere than the provider's documents say.
    #[must_use]
    pub fn token_endpoint(mut self, url: impl Into<String>) -> Self {
        self.token_endpoint = url.into();
        self
    }

    /// Authenticates otherwise than the provider's documents say first.
    #[must_use]
    pub fn authentication(mut self, authentication: ClientAuthentication) -> Self {
        self.authentication = authentication;
        self
    }

    /// Scopes to ask for where a [`TokenRequest`] names none, separated by spaces; those of a
    /// provider's preset are then not asked for.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.defaults = self.defaults.scope(scope);
        self
    }

    /// A resource to ask for where a [`TokenRequest`] names none (RFC 8707).
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.defaults = self.defaults.resource(resource);
        self
    }

    /// The `audience` to ask for where a [`TokenRequest`] names none.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.defaults = self.defaults.audience(audience);
        self
    }

    /// A further parameter of every token request.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.defaults = self.defaults.parameter(name, value);
        self
    }

    /// Permits `http` to a token endpoint that is not loopback. It shows the client's secret to
    /// everybody on the way.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    pub(crate) fn preset_scope(mut self, scope: PresetScope) -> Self {
        self.preset_scope = scope;
        self
    }

    /// The client, over `transport`.
    ///
    /// # Errors
    /// An [`ErrorKind::Configuration`] if the token endpoint is not an `https` URL (loopback may
    /// be `http`), or has a fragment or credentials in it; if the client id or the secret is
    /// empty; if the id holds a `:` under `client_secret_basic_raw`; if a scope, resource or
    /// parameter is malformed; if the provider wants a scope and there is none.
    pub fn build(self, transport: impl HttpTransport) -> Result<ClientCredentials, Error> {
        let endpoint = TokenEndpoint::parse(&self.token_endpoint, self.allow_http)?;
        if self.client_id.is_empty() {
            return Err(Error::configuration(
                "client id: expected one, got an empty text",
            ));
        }
        self.authentication.check(&self.client_id)?;
        let mut defaults = self.defaults.clone().build()?;
        if defaults.scopes().is_empty() {
            defaults = match self.preset_scope {
                PresetScope::None => defaults,
                PresetScope::Default(scope) => self.defaults.scope(scope).build()?,
                PresetScope::RequiredBy(provider) => {
                    return Err(Error::configuration(format!(
                        "scope: {provider} expects at least one, got none"
                    )));
                }
            };
        }
        endpoint.check_parameters(defaults.parameters().map(|(name, _)| name))?;
        Ok(ClientCredentials {
            endpoint,
            client_id: self.client_id,
            authentication: self.authentication,
            defaults,
            transport: Arc::new(transport),
        })
    }
}
