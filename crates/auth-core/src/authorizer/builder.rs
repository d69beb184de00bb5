//! How an [`Authorizer`] is made.

use std::{fmt, sync::Arc};

use http::StatusCode;

use super::{
    Authorizer, Channel, Rules, Whose,
    terms::{ReplayMethods, Statuses, Terms},
};
use crate::{
    Error, TokenCaches,
    origin::{AllowedOrigins, Origin},
    redact::without_secrets,
};

/// Makes an [`Authorizer`]; what is wrong is told by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct AuthorizerBuilder {
    tokens: TokenCaches,
    origins: Vec<NamedOrigin>,
    any_origin: bool,
    allow_http: bool,
    channel_is_trusted: bool,
    statuses: Vec<StatusCode>,
    methods: ReplayMethods,
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
    pub(super) fn new(tokens: TokenCaches) -> Self {
        Self {
            tokens,
            origins: Vec::new(),
            any_origin: false,
            allow_http: false,
            channel_is_trusted: false,
            statuses: vec![StatusCode::UNAUTHORIZED],
            methods: ReplayMethods::default(),
        }
    }

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

    /// Names the statuses by which the API refuses a token, one to four. Default: 401.
    ///
    /// What the response's challenge says comes first: `insufficient_scope` and `invalid_request`
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)) are not about the
    /// token. A 403 that is not named here accepts the token.
    #[must_use]
    pub fn refusal_statuses(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// Says which requests are sent again after their token was refused. Default:
    /// [`ReplayMethods::Any`].
    #[must_use]
    pub fn replay_methods(mut self, methods: ReplayMethods) -> Self {
        self.methods = methods;
        self
    }

    /// The authorizer.
    ///
    /// # Errors
    /// If no origin is named, or one is not `https` (loopback may be `http`), or is more than
    /// scheme, host and port; or if the refusal statuses are not one to four of 400 to 499.
    pub fn build(self) -> Result<Authorizer, Error> {
        let origins = self.origins.iter().map(NamedOrigin::parse);
        let origins = origins.collect::<Result<_, _>>()?;
        let origins = AllowedOrigins::new(origins, self.any_origin, self.allow_http)?;
        let terms = Terms {
            statuses: Statuses::new(&self.statuses)?,
            methods: self.methods,
        };
        let rules = Rules::new(self.tokens, origins, terms);
        Ok(Authorizer {
            whose: Whose::One(Arc::new(rules)),
            channel: self.channel_is_trusted.then_some(Channel::Trusted),
        })
    }
}
