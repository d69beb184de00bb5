//! What an authorization server is before it starts.

use std::{collections::HashMap, fmt, io, sync::Arc, sync::Mutex, time::Duration};

use auth_core::time::{Clock, SystemClock};

use super::{AuthorizationServer, ClientAuthenticationMethod, token_endpoint::TokenEndpoint};
use crate::issued_tokens::{IssuedTokens, Scopes, scopes};

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

impl AuthorizationServerBuilder {
    /// Registers a client. May be called again for others; the same id again replaces the secret.
    /// Without any, nobody gets a token.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.clients.insert(id.into(), secret.into());
        self
    }

    /// The accepted ways of client authentication, instead of the default `ClientSecretBasic` and
    /// `ClientSecretPost`.
    pub fn accept(mut self, methods: impl IntoIterator<Item = ClientAuthenticationMethod>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// The path of the token endpoint, with its leading slash; `/token` by default. Every other
    /// path is a 404; a query on this one is ignored.
    pub fn token_endpoint_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The space-delimited scopes that may be asked for; others are `invalid_scope`. Who asks for
    /// none is granted all of them. By default whatever is asked for is granted.
    pub fn scopes(mut self, allowed: &str) -> Self {
        self.scopes = Some(scopes(allowed));
        self
    }

    /// Whether a token response tells the granted scope; it does by default, if there is one.
    pub fn echo_scope(mut self, echo: bool) -> Self {
        self.echo_scope = echo;
        self
    }

    /// How long a token lasts: 600 s by default. `expires_in` is this in whole seconds, rounded
    /// down.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Leaves `expires_in` out of token responses. Tokens expire all the same.
    pub fn omit_expires_in(mut self) -> Self {
        self.announce_lifetime = false;
        self
    }

    /// The length of a token in characters. By default, and at least, it is what keeps tokens
    /// apart: `at-`, a number, `-` and 16 hexadecimal digits. Real ones have 900 and more.
    pub fn token_length(mut self, length: usize) -> Self {
        self.token_length = length;
        self
    }

    /// The clock that tokens expire by, at the earlier of its two readings, and that latencies of
    /// this server and its protected APIs are slept on. [`SystemClock`] by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Starts the server on the current tokio runtime. It answers as soon as this returns.
    ///
    /// # Errors
    ///
    /// When no port of 127.0.0.1 can be bound.
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

/// Without the secrets.
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
