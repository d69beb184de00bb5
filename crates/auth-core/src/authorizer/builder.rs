//! Builds an [`Authorizer`].

use std::{fmt, sync::Arc};

use http::StatusCode;

use super::{
    bindings::Bindings,
    classify::Classifier,
    connection::Channel,
    decide::{Authorizer, Kind},
    rejection_statuses::RejectionStatuses,
    replay_methods::ReplayMethods,
    rules::Rules,
};
use crate::{
    Error, TokenCaches, TokenRequest,
    origin::{AllowedOrigins, Origin},
    redact::without_secrets,
};

/// Builds an [`Authorizer`]. Mistakes are reported by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct AuthorizerBuilder {
    tokens: TokenCaches,
    origins: Vec<ListedOrigin>,
    any_origin: bool,
    allow_http: bool,
    trust_channel: bool,
    statuses: Vec<StatusCode>,
    methods: ReplayMethods,
}

/// An origin as it was named.
#[derive(Clone)]
struct ListedOrigin {
    text: String,
    /// Whether the text is a URL, of which only the origin counts.
    is_url: bool,
    token_request: Option<TokenRequest>,
}

impl ListedOrigin {
    fn parse(&self) -> Result<Origin, Error> {
        if self.is_url {
            Origin::of_url(&self.text)
        } else {
            self.text.parse()
        }
    }
}

impl fmt::Debug for ListedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(without_secrets(&self.text))?;
        match &self.token_request {
            Some(request) => write!(f, " with {request:?}"),
            None => Ok(()),
        }
    }
}

impl Authorizer {
    /// Starts with the tokens. The origins that may receive them have to be named.
    #[must_use]
    pub fn builder(tokens: impl Into<TokenCaches>) -> AuthorizerBuilder {
        AuthorizerBuilder {
            tokens: tokens.into(),
            origins: Vec::new(),
            any_origin: false,
            allow_http: false,
            trust_channel: false,
            statuses: vec![StatusCode::UNAUTHORIZED],
            methods: ReplayMethods::default(),
        }
    }
}

impl AuthorizerBuilder {
    /// Adds an origin that may receive the token, such as `https://api.example.com`. Requests to
    /// all other origins are sent without it.
    ///
    /// An internationalized host name is written in its punycode form (`xn--…`).
    #[must_use]
    pub fn origin(self, origin: impl Into<String>) -> Self {
        self.add(origin, false, None)
    }

    /// Adds several origins, or none.
    #[must_use]
    pub fn origins<O: Into<String>>(self, origins: impl IntoIterator<Item = O>) -> Self {
        origins.into_iter().fold(self, Self::origin)
    }

    /// Adds the origin of a URL that is going to be requested. The rest of the URL makes no
    /// difference.
    #[must_use]
    pub fn origin_of(self, url: impl Into<String>) -> Self {
        self.add(url, true, None)
    }

    /// Adds an [`origin`](Self::origin) and binds a token request to it: a request to that origin
    /// carries the token for `token_request`, unless a [`TokenRequest`] in its extensions picks
    /// another one.
    ///
    /// A bound token request is only for the origins that it is bound to: a request to another
    /// origin that picks it is not sent. One that is bound to no origin can be picked for every
    /// allowed origin.
    ///
    /// ```
    /// # use auth_core::{Authorizer, ClientCredentials, Error, TokenCache, TokenRequest};
    /// # fn example(credentials: ClientCredentials) -> Result<(), Error> {
    /// let orders = TokenRequest::builder().scope("orders").build()?;
    /// let billing = TokenRequest::builder().audience("https://billing.example.com").build()?;
    /// let authorizer = Authorizer::builder(TokenCache::new(credentials))
    ///     .origin_with("https://orders.example.com", orders)
    ///     .origin_with("https://billing.example.com", billing)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn origin_with(self, origin: impl Into<String>, token_request: TokenRequest) -> Self {
        self.add(origin, false, Some(token_request))
    }

    fn add(
        mut self,
        text: impl Into<String>,
        is_url: bool,
        token_request: Option<TokenRequest>,
    ) -> Self {
        self.origins.push(ListedOrigin {
            text: text.into(),
            is_url,
            token_request,
        });
        self
    }

    /// Sends the token to **every host that a request names**. A mistyped URL or a redirect then
    /// hands it to an unknown party. Default: `false`.
    #[must_use]
    pub fn danger_any_origin(mut self, any: bool) -> Self {
        self.any_origin = any;
        self
    }

    /// Permits `http` to hosts that are not loopback, which shows the token to the network. Default:
    /// `false`.
    #[must_use]
    pub fn danger_allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// Declares that the connection goes to an allowed origin over TLS, whatever the requests' URIs
    /// say. tonic's `Channel` needs this, or the layer made for its endpoint. Default: `false`.
    #[must_use]
    pub fn danger_trust_channel(mut self, trust: bool) -> Self {
        self.trust_channel = trust;
        self
    }

    /// Sets the statuses by which the API rejects a token, one to four. Default: 401.
    ///
    /// The challenge of such a response decides first: `insufficient_scope` and `invalid_request`
    /// ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)) do not reject the
    /// token. A 403 that is not set here accepts the token.
    #[must_use]
    pub fn rejection_statuses(mut self, statuses: impl IntoIterator<Item = StatusCode>) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// Sets which requests are replayed after their token was rejected. Default:
    /// [`ReplayMethods::Any`].
    #[must_use]
    pub fn replay_methods(mut self, methods: ReplayMethods) -> Self {
        self.methods = methods;
        self
    }

    /// Builds the authorizer.
    ///
    /// # Errors
    /// - No origin is named, or one is not `https` (loopback may be `http`), or is more than
    ///   scheme, host and port.
    /// - Two different token requests are bound to one origin.
    /// - The rejection statuses are not one to four of 400 to 499.
    pub fn build(self) -> Result<Authorizer, Error> {
        let (origins, token_requests) = bind(&self.origins)?;
        let origins = AllowedOrigins::new(origins, self.any_origin, self.allow_http)?;
        let classifier = Classifier {
            statuses: RejectionStatuses::new(&self.statuses)?,
            methods: self.methods,
        };
        let bindings = Bindings::new(token_requests);
        let rules = Rules::new(self.tokens, origins, bindings, classifier);
        Ok(Authorizer {
            kind: Kind::Single(Arc::new(rules)),
            channel: self.trust_channel.then_some(Channel::Trusted),
        })
    }
}

/// Each origin once, and the token request that is bound to it.
fn bind(listed: &[ListedOrigin]) -> Result<(Vec<Origin>, Vec<Option<TokenRequest>>), Error> {
    let mut origins = Vec::new();
    let mut token_requests: Vec<Option<TokenRequest>> = Vec::new();
    for entry in listed {
        let origin = entry.parse()?;
        let Some(place) = origins.iter().position(|known| *known == origin) else {
            origins.push(origin);
            token_requests.push(entry.token_request.clone());
            continue;
        };
        let bound = &mut token_requests[place];
        match (&bound, &entry.token_request) {
            (_, None) => {}
            (None, Some(request)) => *bound = Some(request.clone()),
            (Some(one), Some(other)) if one == other => {}
            (Some(_), Some(_)) => {
                return Err(Error::configuration(format!(
                    "origin {origin}: expected one token request that is bound to it, got two \
                     different ones"
                )));
            }
        }
    }
    Ok((origins, token_requests))
}
