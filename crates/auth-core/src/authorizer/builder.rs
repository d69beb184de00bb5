//! Builds an [`Authorizer`].

use http::StatusCode;

use super::{authorizer::Authorizer, replay_methods::ReplayMethods, settings::Settings};
use crate::{Error, TokenCaches, TokenRequest};

/// Builds an [`Authorizer`]. Invalid settings are errors of [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct AuthorizerBuilder {
    tokens: TokenCaches,
    settings: Settings,
}

impl Authorizer {
    /// Starts with the tokens. At least one origin that may receive them has to be added.
    ///
    /// [`Authorizer::client_credentials`] is shorter for one client of one authorization server.
    #[must_use]
    pub fn builder(tokens: impl Into<TokenCaches>) -> AuthorizerBuilder {
        AuthorizerBuilder {
            tokens: tokens.into(),
            settings: Settings::default(),
        }
    }
}

impl AuthorizerBuilder {
    /// Adds an origin that may receive the token, such as `https://api.example.com`. Requests to
    /// all other origins are sent without it.
    ///
    /// An internationalized host name is written in its punycode form (`xn--…`). Spellings of one
    /// origin are equal, as [`Origin`](crate::Origin) describes.
    ///
    /// An allowed origin may redirect to another allowed one, and thereby choose requests that carry
    /// the token. List only origins that may do so, and use two authorizers otherwise.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.settings.add(origin, false, None);
        self
    }

    /// Adds several origins, or none.
    #[must_use]
    pub fn origins<O: Into<String>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        origins.into_iter().fold(self, Self::origin)
    }

    /// Adds the origin of a URL of the API. The rest of the URL is ignored.
    #[must_use]
    pub fn origin_of(mut self, url: impl Into<String>) -> Self {
        self.settings.add(url, true, None);
        self
    }

    /// Adds an [`origin`](Self::origin) and binds a token request to it: a request to that origin
    /// carries the token for `token_request`, unless a [`TokenRequest`] in its extensions picks
    /// another one.
    ///
    /// A bound token request can be used only for the origins that it is bound to: a request to
    /// another origin that picks it is not sent. This also holds for the default token request, that
    /// of the cache, if it is bound: a request to another origin that picks none is not sent. A token
    /// request that is not bound can be picked for every allowed origin. Token requests are compared
    /// as the source completes them
    /// ([`effective_request`](crate::TokenSource::effective_request)): two that are equal then share a
    /// token, and are both bound.
    ///
    /// ```
    /// # use auth_core::{Authorizer, ClientCredentials, Error, TokenCache, TokenRequest};
    /// # fn example(grant: ClientCredentials) -> Result<(), Error> {
    /// let orders = TokenRequest::builder().scope("orders").build()?;
    /// let billing = TokenRequest::builder().audience("https://billing.example.com").build()?;
    /// let authorizer = Authorizer::builder(TokenCache::new(grant))
    ///     .origin_with("https://orders.example.com", orders)
    ///     .origin_with("https://billing.example.com", billing)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn origin_with(mut self, origin: impl Into<String>, token_request: TokenRequest) -> Self {
        self.settings.add(origin, false, Some(token_request));
        self
    }

    /// Sends the token to **every host that a request names**. A mistyped URL or a redirect then
    /// hands it to an unknown party. Default: `false`.
    #[must_use]
    pub fn danger_any_origin(mut self, any: bool) -> Self {
        self.settings.any_origin = any;
        self
    }

    /// Permits `http` to hosts that are not loopback, which shows the token to the network.
    /// Default: `false`.
    #[must_use]
    pub fn danger_allow_http(mut self, allow: bool) -> Self {
        self.settings.allow_http = allow;
        self
    }

    /// Declares that the connection goes to an allowed origin over TLS, also if the URIs of the
    /// requests do not prove it. tonic's `Channel` needs this, or the layer made for its endpoint.
    /// With [bound](Self::origin_with) token requests prefer the latter: a request whose URI names no
    /// origin cannot carry a bound token over such a channel. Default: `false`.
    #[must_use]
    pub fn danger_trust_channel(mut self, trust: bool) -> Self {
        self.settings.trust_channel = trust;
        self
    }

    /// Sets the statuses by which the API rejects a token, one to four. Default: 401.
    ///
    /// The challenge of such a response decides first: `insufficient_scope` and `invalid_request`
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)) do not reject the
    /// token. The error `invalid_token` rejects the token with any 4xx, also one that is not set here.
    /// A 403 that is not set here and states no such error counts as an acceptance of the token.
    #[must_use]
    pub fn rejection_statuses(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.settings.statuses = statuses.into_iter().collect();
        self
    }

    /// Sets which requests are replayed after their token was rejected. Default:
    /// [`ReplayMethods::Any`].
    #[must_use]
    pub fn replay_methods(mut self, methods: ReplayMethods) -> Self {
        self.settings.methods = methods;
        self
    }

    /// Builds the authorizer.
    ///
    /// # Errors
    /// - There is no origin.
    /// - An origin is malformed, or is `http` and not loopback.
    /// - Two different token requests are bound to one origin.
    /// - The tokens are bound to a key that ends with this process, and the cache has a shared store.
    /// - There is no rejection status, there are more than four, or one is not in 400 to 499.
    pub fn build(self) -> Result<Authorizer, Error> {
        self.settings.build(self.tokens)
    }
}
