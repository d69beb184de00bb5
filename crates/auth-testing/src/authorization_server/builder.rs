//! The configuration of an authorization server.

use std::{collections::HashMap, fmt, io, sync::Arc, sync::Mutex, time::Duration};

use auth_core::time::{Clock, SystemClock};
use serde_json::{Map, Value};

use super::{
    client::RegisteredClient, client_authentication::ClientAuthenticationMethod,
    server::AuthorizationServer, token_endpoint::TokenEndpoint,
};
#[cfg(feature = "jose")]
use crate::assertion::AssertionVerifier;
#[cfg(feature = "tls")]
use crate::tls::{TestAuthority, TlsServer};
use crate::{
    dpop::ProofChecks,
    issued_tokens::{IssuedTokens, Scopes, scopes},
    refresh_tokens::RefreshTokens,
};

/// Builds an [`AuthorizationServer`].
///
/// ```
/// # async fn example() -> std::io::Result<()> {
/// use auth_testing::{AuthorizationServer, ClientAuthenticationMethod};
///
/// let server = AuthorizationServer::builder()
///     .client("client", "secret")
///     .accept([ClientAuthenticationMethod::ClientSecretPost])
///     .token_endpoint_path("/connect/token")
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct AuthorizationServerBuilder {
    path: String,
    issuer_path: String,
    clients: HashMap<String, RegisteredClient>,
    methods: Vec<ClientAuthenticationMethod>,
    #[cfg(feature = "jose")]
    pub(super) grant_issuers: Vec<AssertionVerifier>,
    #[cfg(feature = "jose")]
    pub(super) subject_issuers: Vec<AssertionVerifier>,
    exchange_own_tokens: bool,
    pub(super) bind_to_certificates: bool,
    #[cfg(feature = "tls")]
    pub(super) authority: Option<TestAuthority>,
    rotate_refresh_tokens: bool,
    required_parameters: Vec<String>,
    response_members: Map<String, Value>,
    scopes: Option<Scopes>,
    echo_scope: bool,
    announce_lifetime: bool,
    lifetime: Duration,
    token_length: usize,
    clock: Arc<dyn Clock>,
}

impl AuthorizationServer {
    /// Configures a server.
    pub fn builder() -> AuthorizationServerBuilder {
        AuthorizationServerBuilder::default()
    }
}

impl AuthorizationServerBuilder {
    /// Registers a client. Can be called once for each client; a second call with the same id
    /// replaces the secret. Default: no client, so every token request is denied.
    pub fn client(self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.register(id.into(), RegisteredClient::Secret(secret.into()))
    }

    /// Registers a client that does not authenticate, and sends its `client_id`
    /// ([RFC 6749 §2.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.1)).
    pub fn public_client(self, id: impl Into<String>) -> Self {
        self.register(id.into(), RegisteredClient::Public)
    }

    pub(super) fn register(mut self, id: String, client: RegisteredClient) -> Self {
        self.clients.insert(id, client);
        self
    }

    /// Permits token exchange ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)) of the active access
    /// tokens of this server. The token that is issued has no more scopes than the one that was presented.
    /// Default: not permitted. With the feature `jose`, `subject_issuer` permits tokens of other issuers.
    pub fn exchange_tokens(mut self) -> Self {
        self.exchange_own_tokens = true;
        self
    }

    /// Sets whether a refresh token is replaced at each token request, and is used up. Default: `true`. See
    /// [`issue_refresh_token`](AuthorizationServer::issue_refresh_token).
    pub fn rotate_refresh_tokens(mut self, rotate: bool) -> Self {
        self.rotate_refresh_tokens = rotate;
        self
    }

    /// Denies token requests without these parameters (`invalid_request`). Default: those of the grant.
    pub fn require_parameters<T: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        let names = names.into_iter().map(Into::into);
        self.required_parameters.extend(names);
        self
    }

    /// Adds a member to each token response, or replaces one.
    pub fn response_member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.response_members.insert(name.into(), value.into());
        self
    }

    /// Sets the path of the issuer, such as `/realms/a` or `/`. Default: empty, the issuer is
    /// `http://127.0.0.1:PORT`.
    pub fn issuer_path(mut self, path: impl Into<String>) -> Self {
        self.issuer_path = path.into();
        self
    }

    /// Sets the accepted methods of client authentication. Default: `ClientSecretBasic` and
    /// `ClientSecretPost`.
    pub fn accept(mut self, methods: impl IntoIterator<Item = ClientAuthenticationMethod>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// Sets the path of the token endpoint, with its leading slash. Default: `/token`. A query is
    /// ignored. Requests for other paths receive a 404.
    pub fn token_endpoint_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the scopes that a client may request, separated by spaces. A request for another scope
    /// is denied (`invalid_scope`). A request without a scope is granted all of them. Default: the
    /// requested scopes are granted.
    pub fn scopes(mut self, allowed: &str) -> Self {
        self.scopes = Some(scopes(allowed));
        self
    }

    /// Sets whether a token response states the granted scope, if it is not empty. Default: `true`.
    pub fn echo_scope(mut self, echo: bool) -> Self {
        self.echo_scope = echo;
        self
    }

    /// Sets the lifetime of a token. Default: 600 s. `expires_in` states it in whole seconds,
    /// rounded down.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Leaves `expires_in` out of token responses. Tokens expire nevertheless. Default: every
    /// response states it.
    pub fn omit_expires_in(mut self) -> Self {
        self.announce_lifetime = false;
        self
    }

    /// Sets the length of a token in characters; tokens of real servers have 900 and more. The
    /// minimum, and the default, is what makes tokens unique: `at-`, a number, `-` and 16
    /// hexadecimal digits.
    pub fn token_length(mut self, length: usize) -> Self {
        self.token_length = length;
        self
    }

    /// Sets the clock. A token expires when the monotonic or the wall clock reaches its end. The
    /// latencies of this server and of its protected APIs are waited for on the same clock.
    /// Default: [`SystemClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the server on the current tokio runtime. It accepts connections when this returns.
    ///
    /// # Errors
    /// If no port of 127.0.0.1 can be bound, or the certificate of the server cannot be issued.
    pub async fn start(self) -> io::Result<AuthorizationServer> {
        #[cfg(feature = "tls")]
        let tls = self.authority.as_ref().map(TlsServer::new).transpose()?;
        #[cfg(not(feature = "tls"))]
        let tls = None;
        let endpoint = TokenEndpoint {
            path: Mutex::new(self.path),
            issuer_path: self.issuer_path,
            #[cfg(feature = "jose")]
            grant_issuers: self.grant_issuers,
            #[cfg(feature = "jose")]
            subject_issuers: self.subject_issuers,
            exchanges_own_tokens: self.exchange_own_tokens,
            binds_to_certificates: self.bind_to_certificates,
            rotate_refresh_tokens: self.rotate_refresh_tokens,
            required_parameters: self.required_parameters,
            response_members: self.response_members,
            refresh_tokens: RefreshTokens::default(),
            clients: Mutex::new(self.clients),
            methods: self.methods,
            scopes: self.scopes,
            echo_scope: self.echo_scope,
            announce_lifetime: self.announce_lifetime,
            lifetime: Mutex::new(self.lifetime),
            tokens: Arc::new(IssuedTokens::new(self.clock, self.token_length)),
            proofs: ProofChecks::default(),
        };
        AuthorizationServer::start(endpoint, tls).await
    }
}

impl Default for AuthorizationServerBuilder {
    fn default() -> Self {
        Self {
            path: "/token".to_owned(),
            issuer_path: String::new(),
            clients: HashMap::new(),
            #[cfg(feature = "jose")]
            grant_issuers: Vec::new(),
            #[cfg(feature = "jose")]
            subject_issuers: Vec::new(),
            exchange_own_tokens: false,
            bind_to_certificates: true,
            #[cfg(feature = "tls")]
            authority: None,
            rotate_refresh_tokens: true,
            required_parameters: Vec::new(),
            response_members: Map::new(),
            methods: vec![
                ClientAuthenticationMethod::ClientSecretBasic,
                ClientAuthenticationMethod::ClientSecretPost,
            ],
            scopes: None,
            echo_scope: true,
            announce_lifetime: true,
            lifetime: Duration::from_secs(600),
            token_length: 0,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Does not show the secrets.
impl fmt::Debug for AuthorizationServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServerBuilder")
            .field("token_endpoint_path", &self.path)
            .field("clients", &self.clients.keys())
            .field("accept", &self.methods)
            .field("scopes", &self.scopes)
            .field("token_lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
