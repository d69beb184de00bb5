//! A token endpoint: sends token requests, and reads the responses.

use std::{cell::OnceCell, fmt, sync::Arc, time::Duration};

use http::{HeaderValue, Method, Response};
use zeroize::Zeroizing;

use super::{
    authentication::{ClientAuthentication, Credential, Credentials},
    body::read_body,
    denied::DeniedCredentials,
    form::Form,
    http_request::{Client, RequestSettings, check_names},
    issued_tokens::IssuedTokens,
    location::{Located, Location},
    response::ReceivedResponse,
    role::Role,
    url::TokenEndpointUrl,
    warnings::Warnings,
};
use crate::{
    AccessTokenType, Assertion, AssertionContext, AssertionSource, Dpop, Error, ErrorKind,
    HttpTransport, ProofClaims, SecretString, TokenRequest, TokenResponse, TransportBody,
    attempt_time::AttemptTime,
    dpop::{DPOP, Nonce, NonceCell, proof_header},
    panics::catch_panic,
    redact::clean_error,
    shared_store::SharedKey,
    version::Version,
};

/// How long the body of a failure may take. Its status is known before.
pub(super) const FAILURE_BODY_PATIENCE: Duration = Duration::from_secs(1);

/// The token endpoint of an authorization server, as one client uses it
/// ([RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)): its URL, the client's
/// authentication, the transport, and how responses are read.
///
/// [`ClientCredentials`](crate::ClientCredentials) requests tokens from it. Use it in a
/// [`TokenSource`](crate::TokenSource) of your own for a grant that this crate lacks. Clones share the
/// endpoint.
///
/// ```
/// use auth_core::{
///     ClientAuthentication, Error, Form, HttpTransport, TokenEndpoint, TokenRequest, TokenResponse,
///     TokenSource, async_trait, shared_store::SharedKey,
/// };
///
/// /// Zoom's grant for its own applications.
/// #[derive(Debug)]
/// struct AccountCredentials(TokenEndpoint);
///
/// impl AccountCredentials {
///     fn new(secret: &str, transport: impl HttpTransport) -> Result<Self, Error> {
///         let authentication = ClientAuthentication::client_secret_basic(secret);
///         let endpoint = TokenEndpoint::builder("https://zoom.us/oauth/token", authentication)
///             .client_id("my-client")
///             .build(transport)?;
///         Ok(Self(endpoint))
///     }
///
///     fn form(&self) -> Form {
///         Form::new("account_credentials")
///             .field("account_id", "a1b2")
///             .key_part("a1b2")
///     }
/// }
///
/// #[async_trait]
/// impl TokenSource for AccountCredentials {
///     async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
///         self.0.request(&self.form(), request).await
///     }
///
///     fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
///         Some(self.0.shared_key(&self.form(), request))
///     }
///
///     async fn credentials_changed(&self) -> bool {
///         self.0.credentials_changed(&[]).await
///     }
/// }
/// ```
#[derive(Clone)]
pub struct TokenEndpoint(Arc<Inner>);

/// Returns the thumbprint of a certificate.
pub(super) type Thumbprint = Arc<dyn Fn() -> String + Send + Sync>;

pub(super) struct Inner {
    pub(super) location: Location,
    pub(super) revocation_endpoint: Option<TokenEndpointUrl>,
    pub(super) client_id: Option<String>,
    pub(super) authentication: ClientAuthentication,
    /// The certificate that the transport presents.
    pub(super) thumbprint: Option<Thumbprint>,
    pub(super) settings: RequestSettings,
    pub(super) transport: Box<dyn HttpTransport>,
    /// The token types that count as `Bearer`, apart from itself.
    pub(super) accepted_types: Vec<String>,
    pub(super) warnings: Warnings,
    pub(super) denied: DeniedCredentials,
    pub(super) issued: IssuedTokens,
    /// The key to which the tokens are bound, if they are.
    pub(super) dpop: Option<Dpop>,
    /// The nonce of the authorization server. An API of the same origin has its own (RFC 9449 §9).
    pub(super) nonce: NonceCell,
}

/// A token request, and the texts to redact from texts of the server and of the transport.
struct Sent<'a> {
    endpoint: &'a TokenEndpointUrl,
    form: &'a Form,
    request: &'a TokenRequest,
    /// The nonce in the proof.
    nonce: Option<&'a Nonce>,
    secrets: Vec<SecretString>,
}

impl TokenEndpoint {
    pub(super) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Sends a token request, and reads the response.
    ///
    /// The client's authentication is asked for a new assertion, and its secret is read again. A
    /// client with [two secrets](crate::ClientSecret::rotating) may send a second token request, and so may
    /// one with a [key for DPoP](crate::TokenEndpointBuilder::dpop), if the server demands a nonce. A second
    /// token request has new assertions.
    ///
    /// # Errors
    /// If there is no token. The text names the token endpoint, and what to do.
    pub async fn request(
        &self,
        form: &Form,
        request: &TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let located = self.locate().await?;
        let context = context(&located, self.client_id(), form.grant_type(), request);
        let Credentials { proofs, version } = self.credentials(form, &context).await?;
        let mut proofs = proofs.iter().peekable();
        let mut may_repeat = self.0.dpop.is_some();
        while let Some(proof) = proofs.next() {
            let made = &self.with_assertions(form, &context).await?;
            let nonce = self.0.nonce.last();
            let url = &located.url;
            let sent = self.request_with(url, proof, nonce.as_ref(), made, request);
            let mut result = sent.await;
            if may_repeat && self.demands_another_nonce(&result, nonce.as_ref()) {
                may_repeat = false;
                result = self.repeat(url, proof, form, &context, request).await;
            }
            let error = match result {
                Ok(response) => {
                    proof.works();
                    return Ok(response);
                }
                Err(error) => error,
            };
            if !error.denies_client() || proofs.peek().is_none() {
                let error = self.0.location.failed(error);
                return Err(self.0.denied.denied(error, version.and(made.version())));
            }
        }
        // there is at least one proof
        Err(Error::configuration(
            "client secret: expected one, got none",
        ))
    }

    /// Asks `source` for the assertion of a grant, for a grant that reads it. The source has nine tenths
    /// of the attempt's remaining time, and a panic is an error.
    /// [`Form::assertion_from`] asks for one by itself.
    ///
    /// # Errors
    /// That of the source. `name` begins the text: the parameter for which the assertion is made, such
    /// as `assertion` or `subject_token`.
    pub async fn assertion(
        &self,
        name: &str,
        source: &dyn AssertionSource,
        grant_type: &str,
        request: &TokenRequest,
    ) -> Result<Assertion, Error> {
        let located = self.locate().await?;
        let context = context(&located, self.client_id(), grant_type, request);
        let assertion = self.bounded(name, source.assertion(&context)).await;
        if assertion.is_err() {
            self.0.denied.not_obtained(None);
        }
        assertion
    }

    /// Returns the key under which processes share the token of this request: it names the token
    /// endpoint, the client, its authentication method and certificate, the grant type, the headers and the
    /// key for DPoP. The secret and the fields of the form are not part of it: name what they decide about
    /// the token with [`Form::key_part`].
    #[must_use]
    pub fn shared_key(&self, form: &Form, request: &TokenRequest) -> SharedKey {
        let inner = &*self.0;
        let url = inner.location.shared_name();
        let id = inner.client_id.as_deref().unwrap_or_default();
        let method = inner.authentication.shared_name();
        let thumbprint = inner.thumbprint.as_ref().map(|thumbprint| thumbprint());
        let mut source = vec![form.grant_type(), &url, id, method];
        source.extend(thumbprint.iter().flat_map(|t| ["x5t#S256", t.as_str()]));
        let headers = inner.settings.headers.iter();
        source.extend(
            headers.flat_map(|(name, value)| [name.as_str(), value.to_str().unwrap_or_default()]),
        );
        // no header has an empty name
        source.push("");
        source.extend(form.key_parts());
        if let Some(dpop) = &inner.dpop {
            source.extend(["", "dpop_jkt", dpop.thumbprint()]);
        }
        SharedKey::new(source, request)
    }

    /// Returns the key to which the tokens are bound, if there is one, for
    /// [`TokenSource::dpop`](crate::TokenSource::dpop).
    #[must_use]
    pub fn dpop(&self) -> Option<Dpop> {
        self.0.dpop.clone()
    }

    /// Returns whether the credentials that the next token request would use differ from those of the
    /// last one that failed because of them. `assertions` are the sources of a grant's own assertions.
    /// See [`TokenSource::credentials_changed`](crate::TokenSource::credentials_changed).
    pub async fn credentials_changed(&self, assertions: &[&dyn AssertionSource]) -> bool {
        let mut version = Version::default();
        for source in assertions {
            version = version.and(Version::of_number(source.version().await));
        }
        self.presented_changed(version).await
    }

    /// Like [`credentials_changed`](Self::credentials_changed), with the version of what the grant
    /// presents.
    pub(crate) async fn presented_changed(&self, presented: Version) -> bool {
        let version = self.0.authentication.version().await;
        version.is_ok_and(|version| self.0.denied.differs_from(version.and(presented)))
    }

    /// Returns the URL of the token endpoint, without its query, or the issuer of the authorization
    /// server whose metadata tells it.
    #[must_use]
    pub fn url(&self) -> &str {
        self.0.location.text()
    }

    /// Returns the client's id, if the client has one.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Records that what the grant presents could not be obtained.
    pub(crate) fn not_presented(&self) {
        self.0.denied.not_obtained(None);
    }

    /// Checks that none of the parameters of `form` and of the default request is in the query of the
    /// token endpoint, if that is known, or is sent twice.
    pub(crate) fn check_parameters(
        &self,
        form: &Form,
        defaults: &TokenRequest,
    ) -> Result<(), Error> {
        check_names(self.0.location.known(), form, defaults)
    }

    /// Returns the token endpoint, which may have to be discovered.
    pub(super) async fn locate(&self) -> Result<Located, Error> {
        let method = self.0.authentication.method();
        let has_certificate = self.0.thumbprint.is_some() || method.uses_certificate();
        let user_agent = self.0.settings.user_agent.as_ref();
        let location = &self.0.location;
        location
            .locate(&*self.0.transport, method, has_certificate, user_agent)
            .await
    }

    /// Obtains the client's credentials.
    pub(super) async fn credentials(
        &self,
        form: &Form,
        context: &AssertionContext,
    ) -> Result<Credentials<'_>, Error> {
        let authentication = &self.0.authentication;
        let obtained = authentication.credentials(context);
        let name = authentication.proof_name();
        let obtained = self.bounded(name, obtained).await;
        match &obtained {
            Ok(_) => self.0.denied.obtained(),
            // what has just taken too long is not asked again
            Err(error) if error.kind() == ErrorKind::Timeout => self.0.denied.not_obtained(None),
            Err(_) => self.not_obtained(form).await,
        }
        obtained
    }

    /// Records that credentials could not be obtained, with the version of all that the form needs.
    async fn not_obtained(&self, form: &Form) {
        let authentication = &self.0.authentication;
        let version = async {
            let mut version = form.version().and(authentication.version().await?);
            for (_, source) in form.sources() {
                version = version.and(Version::of_number(source.version().await));
            }
            Ok(version)
        };
        let version = self.bounded(authentication.proof_name(), version).await;
        self.0.denied.not_obtained(version.ok());
    }

    /// Returns `form` with a new assertion from each of its sources.
    async fn with_assertions(
        &self,
        form: &Form,
        context: &AssertionContext,
    ) -> Result<Form, Error> {
        let mut made = form.clone();
        for (name, source) in form.sources() {
            match self.bounded(name, source.assertion(context)).await {
                Ok(assertion) => made = made.with_made(&assertion),
                Err(error) => {
                    match error.kind() {
                        ErrorKind::Timeout => self.0.denied.not_obtained(None),
                        _ => self.not_obtained(form).await,
                    }
                    return Err(error);
                }
            }
        }
        Ok(made)
    }

    /// Runs a user's code that makes `what`, in the time of the attempt.
    pub(crate) async fn bounded<T>(
        &self,
        what: &str,
        made: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let attempt = AttemptTime::current();
        let made = attempt.nearly_whole(made);
        let panicked = "the function or the source that makes it panicked";
        let made = catch_panic(ErrorKind::Panicked, panicked, made).await;
        let timed_out = || {
            let late = "expected it within nine tenths of the attempt timeout, got none";
            Err(Error::new(ErrorKind::Timeout, late))
        };
        let made = made.and_then(|made| made.unwrap_or_else(timed_out));
        made.map_err(|error| error.at(what))
    }

    /// Returns what each request to the server contains and no error may show.
    pub(super) fn secrets(&self, proof: &Credential<'_>) -> Vec<SecretString> {
        let mut secrets = proof.forms(self.client_id());
        let headers = self.0.settings.headers.values();
        let headers = headers.filter_map(|value| value.to_str().ok());
        secrets.extend(headers.map(SecretString::from));
        secrets
    }

    /// Returns whether the server demands a nonce (RFC 9449 §8) and has sent another one than `sent`,
    /// that of the token request.
    fn demands_another_nonce(
        &self,
        result: &Result<TokenResponse, Error>,
        sent: Option<&Nonce>,
    ) -> bool {
        let error = result.as_ref().err();
        let code = error.and_then(Error::error_code);
        code == Some("use_dpop_nonce") && self.0.nonce.last().as_ref() != sent
    }

    /// Sends a token request again, with the server's nonce. The server may accept an assertion only
    /// once, so that each is made anew.
    async fn repeat(
        &self,
        endpoint: &TokenEndpointUrl,
        proof: &Credential<'_>,
        form: &Form,
        context: &AssertionContext,
        request: &TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let form = &self.with_assertions(form, context).await?;
        let nonce = self.0.nonce.last();
        let nonce = nonce.as_ref();
        if let Credential::Assertion { .. } = proof {
            let fresh = self.credentials(form, context).await?;
            if let [proof, ..] = &*fresh.proofs {
                let sent = self.request_with(endpoint, proof, nonce, form, request);
                return sent.await;
            }
        }
        self.request_with(endpoint, proof, nonce, form, request)
            .await
    }

    /// Returns the header that proves the possession of the key (RFC 9449 §5).
    async fn proof(
        &self,
        endpoint: &TokenEndpointUrl,
        dpop: &Dpop,
        nonce: Option<&Nonce>,
    ) -> Result<HeaderValue, Error> {
        let claims = ProofClaims::new(&Method::POST, endpoint.without_query());
        let mut claims = claims.with_time(AttemptTime::current().wall());
        if let Some(nonce) = nonce {
            claims = claims.with_nonce(nonce.as_str());
        }
        let proof = self.bounded("DPoP proof", dpop.prover().prove(&claims));
        proof_header(&proof.await?)
    }

    /// Sends a token request with `proof` and, with a key for DPoP, `nonce`; reads the response.
    async fn request_with(
        &self,
        endpoint: &TokenEndpointUrl,
        proof: &Credential<'_>,
        nonce: Option<&Nonce>,
        form: &Form,
        request: &TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let inner = &*self.0;
        let client = Client {
            endpoint,
            id: self.client_id(),
            method: inner.authentication.method(),
            credential: proof,
        };
        let mut built = inner.settings.token_request(&client, form, request)?;
        let mut secrets = self.secrets(proof);
        secrets.extend(form.secrets().cloned());
        if let Some(dpop) = &inner.dpop {
            let proof = self.proof(endpoint, dpop, nonce).await?;
            secrets.extend(proof.to_str().ok().map(SecretString::from));
            built.headers_mut().insert(DPOP, proof);
        }
        let sent = Sent {
            endpoint,
            form,
            request,
            nonce,
            secrets,
        };
        let sent_request = inner.transport.send(built);
        let response = inner.location.sending().until(sent_request).await;
        self.response(response, sent).await
    }

    /// Reads the response to a token request.
    async fn response(
        &self,
        response: Result<Response<TransportBody>, Error>,
        mut sent: Sent<'_>,
    ) -> Result<TokenResponse, Error> {
        let inner = &*self.0;
        sent.secrets.extend(inner.issued.tokens());
        let secrets = &sent.secrets;
        let endpoint = sent.endpoint.without_query();
        let place = format!("token endpoint {endpoint}");
        let response = response.map_err(|e| clean_error(e, secrets).at(&place))?;
        let (head, body) = response.into_parts();
        if inner.dpop.is_some() {
            inner.nonce.learn(endpoint, &head.headers, sent.nonce);
        }
        let mut received = Zeroizing::default();
        let read = read_body(body, &mut received, &place, secrets);
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
            role: Role::Token,
            endpoint,
            grant_type: sent.form.grant_type(),
            client_advice: inner.authentication.method().advice(),
            request: sent.request,
            secrets,
            accepted_types: &inner.accepted_types,
            token_type: match inner.dpop {
                Some(_) => AccessTokenType::Dpop,
                None => AccessTokenType::Bearer,
            },
            wall: attempt.wall(),
            echoes: OnceCell::new(),
        }
        .read()?;
        inner.warnings.log(&read, endpoint);
        let response = read.response;
        inner.issued.add(&response);
        // RFC 6749 section 5.1: a response without scopes grants the requested ones
        Ok(match response.scopes() {
            Some(_) => response,
            None => response.with_scopes(sent.request.scopes().clone()),
        })
    }
}

/// Describes a token request to its sources of assertions.
pub(super) fn context(
    located: &Located,
    client_id: Option<&str>,
    grant_type: &str,
    request: &TokenRequest,
) -> AssertionContext {
    let mut context = AssertionContext::new(located.url.uri().to_string())
        .with_grant_type(grant_type)
        .with_request(request.clone())
        .with_time(AttemptTime::current().wall());
    if let Some(issuer) = &located.issuer {
        context = context.with_issuer(Arc::clone(issuer));
    }
    match client_id {
        Some(id) => context.with_client_id(id),
        None => context,
    }
}

impl fmt::Debug for TokenEndpoint {
    /// Leaves out the transport: its client may print default headers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let headers: Vec<_> = inner.settings.headers.keys().collect();
        let revocation = inner.revocation_endpoint.as_ref();
        let revocation = revocation.map(TokenEndpointUrl::without_query);
        f.debug_struct("TokenEndpoint")
            .field("url", &self.url())
            .field("revocation_endpoint", &revocation)
            .field("client_id", &inner.client_id)
            .field("authentication", &inner.authentication)
            .field("user_agent", &inner.settings.user_agent)
            .field("client_id_in_form", &inner.settings.client_id_in_form)
            .field("headers", &headers)
            .field("dpop", &inner.dpop)
            .finish_non_exhaustive()
    }
}
