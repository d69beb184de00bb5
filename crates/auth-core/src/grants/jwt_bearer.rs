//! The token source of the JWT bearer grant (RFC 7523 §2.1).

use std::sync::Arc;

use async_trait::async_trait;

use super::subject::Subject;
use crate::{
    AccessToken, AssertionSource, Error, Form, TokenEndpoint, TokenRequest, TokenResponse,
    TokenSource, shared_store::SharedKey,
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Requests access tokens by a JWT as the grant
/// ([RFC 7523 §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)): service accounts of Google,
/// Zitadel and Salesforce, Maskinporten, DocuSign.
///
/// The assertion is made anew for each HTTP request, because authorization servers accept one once. It
/// is made for the [effective request](crate::AssertionContext::request), and most providers expect scope and
/// resource in it: see [`parameters_in_assertion`](Self::parameters_in_assertion).
///
/// The client's own authentication is that of the token endpoint. Most providers require
/// [`none`](crate::ClientAuthentication::none), because the assertion names the client.
///
/// ```
/// use auth_core::{
///     Assertion, AssertionContext, ClientAuthentication, Error, HttpTransport, JwtBearer,
///     TokenEndpoint, TokenRequest, assertion_fn,
/// };
///
/// # async fn sign(_scope: String) -> Result<String, Error> { Ok("e30.e30.c2ln".into()) }
/// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
/// let authentication = ClientAuthentication::none();
/// let endpoint = TokenEndpoint::builder("https://maskinporten.no/token", authentication);
/// // `auth-jose` signs; this function stands for a service that does
/// let signed = assertion_fn(|context: AssertionContext| async move {
///     Assertion::new(sign(context.request().scopes().to_string()).await?)
/// });
/// let grant = JwtBearer::new(endpoint.build(transport)?, signed)?
///     .parameters_in_assertion(true)
///     .with_defaults(TokenRequest::builder().scope("digdir:dpi").build()?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JwtBearer {
    endpoint: TokenEndpoint,
    source: Arc<dyn AssertionSource>,
    defaults: TokenRequest,
    parameters_in_assertion: bool,
    subject: Option<Subject>,
}

impl JwtBearer {
    /// Creates the grant. `source` makes the assertions.
    ///
    /// # Errors
    /// If the query of the token endpoint contains the parameter `assertion`, which the grant sends.
    pub fn new(endpoint: TokenEndpoint, source: impl AssertionSource) -> Result<Self, Error> {
        let grant = Self {
            endpoint,
            source: Arc::new(source),
            defaults: TokenRequest::default(),
            parameters_in_assertion: false,
            subject: None,
        };
        grant.checked()
    }

    /// Sets what is requested where a [`TokenRequest`] names none. Default: nothing.
    ///
    /// # Errors
    /// If a parameter of `defaults` is in the query of the token endpoint, or is one that the grant
    /// sends.
    pub fn with_defaults(mut self, defaults: TokenRequest) -> Result<Self, Error> {
        self.defaults = defaults;
        self.checked()
    }

    /// Sets whether scopes, resources, audience and all further parameters of a request are claims of
    /// the assertion, and are left out of the form. The source reads them from its
    /// [context](crate::AssertionContext::request). Default: `false`, they are sent in the form.
    ///
    /// | provider | parameters |
    /// |---|---|
    /// | Maskinporten, Google, DocuSign | in the assertion |
    /// | Zitadel | in the form |
    ///
    /// They are part of the key of the token in either case.
    #[must_use]
    pub fn parameters_in_assertion(mut self, in_assertion: bool) -> Self {
        self.parameters_in_assertion = in_assertion;
        self
    }

    /// Names whose token this is, so that processes can share it in a
    /// [shared store](crate::TokenCacheBuilder::shared_store). Default: none, and each process
    /// requests its own token.
    ///
    /// The issuer and the subject of the assertion decide whose token it is, and only its source
    /// knows them. Without this text two clients whose assertions name different users would have the
    /// same key, and one user would receive the token of the other. Name everything that the
    /// assertions of this source always contain and those of another source may not: the client,
    /// the user, the organization.
    ///
    /// # Errors
    /// If the text is blank.
    ///
    /// ```
    /// # use auth_core::{AssertionFile, Error, JwtBearer, TokenEndpoint};
    /// # fn example(endpoint: TokenEndpoint, file: AssertionFile) -> Result<(), Error> {
    /// let grant = JwtBearer::new(endpoint, file)?.with_subject("orders@project.example.com")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_subject(mut self, subject: impl Into<String>) -> Result<Self, Error> {
        self.subject = Some(Subject::new(subject)?);
        Ok(self)
    }

    fn form(&self) -> Form {
        let form = Form::new(GRANT_TYPE).assertion_from("assertion", Arc::clone(&self.source));
        match self.parameters_in_assertion {
            true => form.without_request_parameters(),
            false => form,
        }
    }

    fn checked(self) -> Result<Self, Error> {
        self.endpoint
            .check_parameters(&self.form(), &self.defaults)?;
        Ok(self)
    }
}

#[async_trait]
impl TokenSource for JwtBearer {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        self.endpoint
            .request(&self.form(), &request.or(&self.defaults))
            .await
    }

    /// Returns a key if the grant has a [subject](JwtBearer::with_subject). It is the same in every
    /// process that has the same subject, client, token endpoint, authentication method and headers.
    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        let form = self.subject.as_ref()?.named_in(self.form());
        let request = request.or(&self.defaults);
        Some(self.endpoint.shared_key(&form, &request))
    }

    /// Returns `request`, completed by the defaults.
    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        request.or(&self.defaults)
    }

    /// Compares the versions of the client's credentials and of the assertion with those of the last
    /// token request that failed because of them.
    async fn credentials_changed(&self) -> bool {
        self.endpoint.credentials_changed(&[&*self.source]).await
    }
    async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
        self.endpoint.revoke(token.secret()).await
    }
}
