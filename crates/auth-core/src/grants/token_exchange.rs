//! The token source of the token exchange grant (RFC 8693).

use std::sync::Arc;

use async_trait::async_trait;

use super::{subject::Subject, token_type::TokenType};
use crate::{
    AccessToken, AssertionSource, Error, ErrorKind, Form, TokenEndpoint, TokenRequest,
    TokenResponse, TokenSource, shared_store::SharedKey,
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Exchanges a token for an access token
/// ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)): workload identity federation, delegation,
/// a token for another API on behalf of a user.
///
/// The subject token, and the actor token if there is one, are obtained anew for each HTTP request,
/// from an [`AssertionSource`]: a [file](crate::AssertionFile) that another program replaces, or a
/// [function](crate::assertion_fn).
///
/// ```
/// use auth_core::{
///     AssertionFile, ClientAuthentication, Error, HttpTransport, TokenEndpoint, TokenExchange,
///     TokenRequest, TokenType,
/// };
///
/// # fn example(transport: impl HttpTransport) -> Result<(), Error> {
/// // a pod that exchanges its projected token at Google
/// let endpoint = TokenEndpoint::builder("https://sts.googleapis.com/v1/token", ClientAuthentication::none());
/// let pod = AssertionFile::new("/var/run/secrets/tokens/gcp")?;
/// let request = TokenRequest::builder()
///     .audience("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k")
///     .scope("https://www.googleapis.com/auth/cloud-platform");
/// let grant = TokenExchange::new(endpoint.build(transport)?, pod, TokenType::JWT)?
///     .requested_token_type(TokenType::ACCESS_TOKEN)
///     .with_defaults(request.build()?)?;
/// # Ok(())
/// # }
/// ```
///
/// The token of a [`TokenCache`](crate::TokenCache) is a subject token as well. It has to be another
/// cache than the one of this source:
///
/// ```
/// use auth_core::{Assertion, Error, TokenCache, TokenEndpoint, TokenExchange, TokenType, assertion_fn};
///
/// # fn example(tokens: TokenCache, endpoint: TokenEndpoint) -> Result<TokenExchange, Error> {
/// let subject = assertion_fn(move |_| {
///     let tokens = tokens.clone();
///     async move { Assertion::new(tokens.token().await?.secret()) }
/// });
/// TokenExchange::new(endpoint, subject, TokenType::ACCESS_TOKEN)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenExchange {
    endpoint: TokenEndpoint,
    subject: Presented,
    actor: Option<Presented>,
    requested: Option<TokenType>,
    defaults: TokenRequest,
    key_subject: Option<Subject>,
}

/// A token that is presented, with its type.
#[derive(Clone, Debug)]
struct Presented {
    source: Arc<dyn AssertionSource>,
    token_type: TokenType,
}

impl Presented {
    fn new(source: impl AssertionSource, token_type: TokenType) -> Self {
        Self {
            source: Arc::new(source),
            token_type,
        }
    }

    fn add_to(&self, form: Form, name: &'static str, type_name: &'static str) -> Form {
        form.assertion_from(name, Arc::clone(&self.source))
            .parameter(type_name, self.token_type.text())
    }
}

impl TokenExchange {
    /// Creates the grant. `subject` obtains the token of the party for whom the access token is
    /// requested (`subject_token`).
    ///
    /// # Errors
    /// If the query of the token endpoint contains a parameter that the grant sends.
    pub fn new(
        endpoint: TokenEndpoint,
        subject: impl AssertionSource,
        subject_token_type: TokenType,
    ) -> Result<Self, Error> {
        let grant = Self {
            endpoint,
            subject: Presented::new(subject, subject_token_type),
            actor: None,
            requested: None,
            defaults: TokenRequest::default(),
            key_subject: None,
        };
        grant.checked()
    }

    /// Presents the token of the acting party as well (`actor_token`,
    /// [RFC 8693 §2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)). Default: none.
    ///
    /// # Errors
    /// If the query of the token endpoint contains a parameter that the grant sends.
    ///
    /// ```
    /// # use auth_core::{AssertionFile, Error, TokenExchange, TokenType};
    /// # fn example(grant: TokenExchange) -> Result<(), Error> {
    /// let service = AssertionFile::new("/var/run/secrets/tokens/service")?;
    /// let grant = grant.actor(service, TokenType::JWT)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn actor(
        mut self,
        actor: impl AssertionSource,
        actor_token_type: TokenType,
    ) -> Result<Self, Error> {
        self.actor = Some(Presented::new(actor, actor_token_type));
        self.checked()
    }

    /// Sets the `requested_token_type`. Default: none, the authorization server decides.
    ///
    /// A token that is no access token (`token_type` `N_A`) is an error, because it cannot be sent to
    /// an API.
    #[must_use]
    pub fn requested_token_type(mut self, requested: TokenType) -> Self {
        self.requested = Some(requested);
        self
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

    /// Names whose token this is, so that processes can share it in a
    /// [shared store](crate::TokenCacheBuilder::shared_store). Default: none, and each process
    /// requests its own token. It names the subject and, if there is one, the actor: see
    /// [`JwtBearer::with_subject`](crate::JwtBearer::with_subject).
    ///
    /// # Errors
    /// If the text is blank.
    pub fn with_subject(mut self, subject: impl Into<String>) -> Result<Self, Error> {
        self.key_subject = Some(Subject::new(subject)?);
        Ok(self)
    }

    fn form(&self) -> Form {
        let form = Form::new(GRANT_TYPE);
        let mut form = self
            .subject
            .add_to(form, "subject_token", "subject_token_type");
        if let Some(actor) = &self.actor {
            form = actor.add_to(form, "actor_token", "actor_token_type");
        }
        match &self.requested {
            Some(requested) => form.parameter("requested_token_type", requested.text()),
            None => form,
        }
    }

    fn checked(self) -> Result<Self, Error> {
        // with each parameter that may be sent later
        let form = self.form();
        let form = match self.requested {
            Some(_) => form,
            None => form.parameter("requested_token_type", ""),
        };
        self.endpoint.check_parameters(&form, &self.defaults)?;
        Ok(self)
    }
}

#[async_trait]
impl TokenSource for TokenExchange {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let request = request.or(&self.defaults);
        let response = self.endpoint.request(&self.form(), &request).await?;
        if response.issued_token_type() == Some(TokenType::REFRESH_TOKEN.as_str()) {
            return Err(Error::new(
                ErrorKind::InvalidResponse,
                format!(
                    "token endpoint {}: expected an access token, got a refresh token (member \
                     \"issued_token_type\"), which must not be sent to an API; request another type \
                     with requested_token_type()",
                    self.endpoint.url()
                ),
            ));
        }
        Ok(response)
    }

    /// Returns a key if the grant has a [subject](TokenExchange::with_subject). It is the same in every
    /// process that has the same subject, token types, client, token endpoint, authentication method
    /// and headers.
    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        let of = |token_type: Option<&TokenType>| token_type.map_or("".into(), TokenType::text);
        let form = self.key_subject.as_ref()?.named_in(self.form());
        let form = form
            .key_part(of(Some(&self.subject.token_type)))
            .key_part(of(self.actor.as_ref().map(|actor| &actor.token_type)))
            .key_part(of(self.requested.as_ref()));
        let request = request.or(&self.defaults);
        Some(self.endpoint.shared_key(&form, &request))
    }

    /// Returns `request`, completed by the defaults.
    fn effective_request(&self, request: &TokenRequest) -> TokenRequest {
        request.or(&self.defaults)
    }

    /// Compares the versions of the client's credentials and of both tokens with those of the last
    /// token request that failed because of them.
    async fn credentials_changed(&self) -> bool {
        let mut sources: Vec<&dyn AssertionSource> = vec![&*self.subject.source];
        sources.extend(self.actor.iter().map(|actor| &*actor.source));
        self.endpoint.credentials_changed(&sources).await
    }
    async fn revoke(&self, token: &AccessToken) -> Result<(), Error> {
        self.endpoint.revoke(token.secret()).await
    }
}
