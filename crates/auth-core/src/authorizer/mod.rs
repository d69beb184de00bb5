//! What every adapter does around a request, without doing any I/O: which requests get a token,
//! and which; and whether a response refuses it.

mod attempt;
mod builder;
mod head;
mod terms;

use std::{
    collections::HashSet,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use http::{Uri, header::AUTHORIZATION};

use crate::{
    AccessToken, Error, TokenCache, TokenCaches, TokenRequest, events,
    origin::{AllowedOrigins, Destination, Target},
};

pub use attempt::{Attempt, AttemptFuture, Renewal, RenewalFuture, Verdict};
pub use builder::AuthorizerBuilder;
pub use head::{RequestHead, ResponseHead};
pub use terms::ReplayMethods;
use terms::Terms;

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
    tokens: TokenCaches,
    origins: AllowedOrigins,
    terms: Terms,
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
    Authorize(Attempt),
    /// Wait for this, then put it onto the request and send that. If it fails, the request is not
    /// sent.
    Wait(AttemptFuture),
}

impl Authorizer {
    /// Starts with the tokens; which origins may see them has to be said.
    #[must_use]
    pub fn builder(tokens: impl Into<TokenCaches>) -> AuthorizerBuilder {
        AuthorizerBuilder::new(tokens.into())
    }

    /// The tokens of requests that do not pick one by a [`TokenRequest`] in their extensions.
    #[must_use]
    pub fn tokens(&self) -> &TokenCache {
        self.rules.tokens.default_cache()
    }

    /// What to do with a request. Costs no wait and no allocation while there is a usable token.
    #[inline]
    pub fn authorize<'a>(&self, request: impl Into<RequestHead<'a>>) -> Decision {
        let request = request.into();
        if request.headers.contains_key(AUTHORIZATION) || !self.may_see_token(&request) {
            return Decision::PassThrough;
        }
        let terms = self.rules.terms;
        let may_replay = terms.permit_replay(&request);
        let picked = request.extension();
        match self.token(picked) {
            Some(token) => Decision::Authorize(Attempt::new(token, terms, may_replay)),
            None => Decision::Wait(self.acquire(picked, may_replay)),
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

    #[inline]
    fn token(&self, picked: Option<&TokenRequest>) -> Option<AccessToken> {
        match picked {
            Some(request) => self.rules.tokens.hit(request, AccessToken::clone),
            None => self.tokens().hit(self.tokens().now(), AccessToken::clone),
        }
    }

    #[cold]
    fn acquire(&self, picked: Option<&TokenRequest>, may_replay: bool) -> AttemptFuture {
        let tokens = picked.map_or_else(
            || self.tokens().clone(),
            |request| self.rules.tokens.cache(request),
        );
        let terms = self.rules.terms;
        Box::pin(async move { Ok(Attempt::new(tokens.token().await?, terms, may_replay)) })
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
