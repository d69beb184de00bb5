//! What every adapter does around a request, without doing any I/O: which requests get a token,
//! and which.

use std::{
    collections::HashSet,
    fmt,
    future::Future,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use http::{
    HeaderMap, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE},
};

use crate::{
    Authorization, Error, TokenCache,
    error::without_secrets,
    events,
    origin::{AllowedOrigins, Destination, Origin, Target},
};

/// Destinations that are remembered as already warned about.
const STRANGERS: usize = 64;

/// Decides what an adapter does with a request: the token, and the origins that may see it.
///
/// Cheap to clone. Every adapter takes one.
///
/// ```
/// # use auth_core::{Authorizer, ClientCredentials, Error, TokenCache};
/// # fn example(credentials: ClientCredentials) -> Result<(), Error> {
/// let tokens = Authorizer::builder(TokenCache::new(credentials))
///     .origin("https://api.example.com")
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Authorizer {
    rules: Arc<Rules>,
    /// Where the connection goes is known to be allowed, whatever the request's URI says.
    channel_is_trusted: bool,
}

struct Rules {
    tokens: TokenCache,
    origins: AllowedOrigins,
    hasher: RandomState,
    strangers: Mutex<HashSet<u64>>,
    warned_of_channel: AtomicBool,
}

/// What to do with one request.
#[must_use]
pub enum Decision {
    /// Send it as it is: it carries its own authorization, or goes where no token may go.
    PassThrough,
    /// Put this onto it and send it.
    Authorize(Authorization),
    /// Wait for this, then put it onto the request and send that. If it fails, the request is not
    /// sent.
    Wait(AuthorizationFuture),
}

/// The future of [`Decision::Wait`].
pub type AuthorizationFuture = Pin<Box<dyn Future<Output = Result<Authorization, Error>> + Send>>;

/// The part of a request that decides.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    target: Target<'a>,
    headers: &'a HeaderMap,
}

impl<'a> RequestHead<'a> {
    /// A request to `target` with `headers`.
    pub fn new(target: impl Into<Target<'a>>, headers: &'a HeaderMap) -> Self {
        Self {
            target: target.into(),
            headers,
        }
    }

    /// Whether it is a gRPC request, by its content type.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        let kind = self
            .headers
            .get(CONTENT_TYPE)
            .map(http::HeaderValue::as_bytes);
        kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
    }
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self::new(request.uri(), request.headers())
    }
}

impl Authorizer {
    /// Starts with the tokens; which origins may see them has to be said.
    #[must_use]
    pub fn builder(tokens: TokenCache) -> AuthorizerBuilder {
        AuthorizerBuilder {
            tokens,
            origins: Vec::new(),
            any_origin: false,
            allow_http: false,
            channel_is_trusted: false,
        }
    }

    /// The tokens that it hands out.
    #[must_use]
    pub fn tokens(&self) -> &TokenCache {
        &self.rules.tokens
    }

    /// What to do with a request. Costs no wait and no allocation while there is a usable token.
    #[inline]
    pub fn authorize<'a>(&self, request: impl Into<RequestHead<'a>>) -> Decision {
        let request = request.into();
        if request.headers.contains_key(AUTHORIZATION) || !self.may_see_token(&request) {
            return Decision::PassThrough;
        }
        match self.rules.tokens.cached() {
            Some(authorization) => Decision::Authorize(authorization),
            None => Decision::Wait(self.acquire()),
        }
    }

    /// The same authorizer for a connection to `uri` that the request's own URI says nothing
    /// reliable about, such as tonic's `Channel`.
    ///
    /// # Errors
    /// If `uri` is not one of the allowed origins.
    pub fn for_channel(self, uri: &Uri) -> Result<Self, Error> {
        match Target::from(uri).destination {
            Some(destination) if self.rules.origins.contains(&destination) => Ok(Self {
                channel_is_trusted: true,
                ..self
            }),
            Some(destination) => Err(Error::configuration(format!(
                "endpoint {destination}: expected one of the allowed origins, {:?}",
                self.rules.origins
            ))),
            None => Err(Error::configuration(
                "endpoint: expected one with scheme and host, got a path",
            )),
        }
    }

    fn acquire(&self) -> AuthorizationFuture {
        let tokens = self.rules.tokens.clone();
        Box::pin(async move { Ok(tokens.token().await?.authorization()) })
    }

    /// A URI proves where a request goes only to a client that connects by it. tonic's channel does
    /// not: its requests need a trusted channel, and an absolute URI has to match as well.
    fn may_see_token(&self, request: &RequestHead<'_>) -> bool {
        match &request.target.destination {
            Some(destination) if !self.rules.origins.contains(destination) => {
                self.rules.warn_of_stranger(destination);
                false
            }
            Some(_)
                if self.channel_is_trusted || request.target.is_certain || !request.is_grpc() =>
            {
                true
            }
            None if self.channel_is_trusted => true,
            _ => {
                if !self.rules.warned_of_channel.swap(true, Relaxed) {
                    events::untrusted_channel();
                }
                false
            }
        }
    }
}

impl Rules {
    #[cold]
    fn warn_of_stranger(&self, destination: &Destination<'_>) {
        if self.is_new(self.hasher.hash_one(destination)) {
            events::stranger(destination);
        }
    }

    fn is_new(&self, stranger: u64) -> bool {
        let mut strangers = self
            .strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        strangers.len() < STRANGERS && strangers.insert(stranger)
    }
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorizer")
            .field("tokens", &self.rules.tokens)
            .field("origins", &self.rules.origins)
            .field("channel_is_trusted", &self.channel_is_trusted)
            .finish()
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PassThrough => "PassThrough",
            Self::Authorize(_) => "Authorize",
            Self::Wait(_) => "Wait",
        })
    }
}

/// Makes an [`Authorizer`]; what is wrong is told by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct AuthorizerBuilder {
    tokens: TokenCache,
    origins: Vec<NamedOrigin>,
    any_origin: bool,
    allow_http: bool,
    channel_is_trusted: bool,
}

#[derive(Clone)]
enum NamedOrigin {
    Itself(String),
    OfUrl(String),
}

impl NamedOrigin {
    fn parse(&self) -> Result<Origin, Error> {
        match self {
            Self::Itself(origin) => Origin::parse(origin),
            Self::OfUrl(url) => Origin::of_url(url),
        }
    }
}

impl fmt::Debug for NamedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Itself(text) | Self::OfUrl(text)) = self;
        f.write_str(without_secrets(text))
    }
}

impl AuthorizerBuilder {
    /// Names an origin that may see the token, such as `https://api.example.com`. Everybody else
    /// is sent the request without it.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(NamedOrigin::Itself(origin.into()));
        self
    }

    /// Names several, or none.
    #[must_use]
    pub fn origins<O: Into<String>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        origins.into_iter().fold(self, Self::origin)
    }

    /// Names the origin of a URL that is going to be called.
    #[must_use]
    pub fn origin_of(mut self, url: impl Into<String>) -> Self {
        self.origins.push(NamedOrigin::OfUrl(url.into()));
        self
    }

    /// Sends the token to **whatever host a request names**. A mistyped URL or a redirect then
    /// hands it to a stranger.
    #[must_use]
    pub fn any_origin(mut self) -> Self {
        self.any_origin = true;
        self
    }

    /// Permits `http` to hosts that are not loopback. It shows the token to everybody on the way.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Declares that the connection below goes to an allowed origin over TLS, whatever the
    /// request's URI says. tonic's `Channel` needs this, or the layer made for its endpoint.
    #[must_use]
    pub fn channel_is_trusted(mut self) -> Self {
        self.channel_is_trusted = true;
        self
    }

    /// The authorizer.
    ///
    /// # Errors
    /// If no origin is named, or one is not `https` (loopback may be `http`), or is more than
    /// scheme, host and port.
    pub fn build(self) -> Result<Authorizer, Error> {
        let origins = self.origins.iter().map(NamedOrigin::parse);
        let origins = origins.collect::<Result<_, _>>()?;
        Ok(Authorizer {
            rules: Arc::new(Rules {
                tokens: self.tokens,
                origins: AllowedOrigins::new(origins, self.any_origin, self.allow_http)?,
                hasher: RandomState::new(),
                strangers: Mutex::default(),
                warned_of_channel: AtomicBool::new(false),
            }),
            channel_is_trusted: self.channel_is_trusted,
        })
    }
}
