//! The configuration of an authorization server.

use std::{collections::HashMap, fmt, io, sync::Arc, sync::Mutex, time::Duration};

use auth_core::time::{Clock, SystemClock};

use super::{
    client_authentication::ClientAuthenticationMethod, server::AuthorizationServer,
    token_endpoint::TokenEndpoint,
};
use crate::{
    dpop::ProofChecks,
    issued_tokens::{IssuedTokens, Scopes, scopes},
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
    clients: HashMap<String, String>,
    methods: Vec<ClientAuthenticationMethod>,
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
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.clients.insert(id.into(), secret.into());
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
    /// If no port of 127.0.0.1 can be bound.
    pub async fn start(self) -> io::Result<AuthorizationServer> {
        AuthorizationServer::start(TokenEndpoint {
            path: self.path,
            clients: Mutex::new(self.clients),
            methods: self.methods,
            scopes: self.scopes,
            echo_scope: self.echo_scope,
            announce_lifetime: self.announce_lifetime,
            lifetime: Mutex::new(self.lifetime),
            tokens: Arc::new(IssuedTokens::new(self.clock, self.token_length)),
            proofs: ProofChecks::default(),
        })
        .await
    }
}

impl Default for AuthorizationServerBuilder {
    fn default() -> Self {
        Self {
            path: "/token".to_owned(),
            clients: HashMap::new(),
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
