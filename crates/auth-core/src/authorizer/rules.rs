//! What one authorizer goes by: its tokens, who may see them, and what a response says of them.

use std::{
    collections::HashSet,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use http::{Uri, header::AUTHORIZATION};

use super::{Attempt, AttemptFuture, Decision, RequestHead, terms::Terms};
use crate::{
    Error, TokenCaches, TokenRequest,
    cache::Issued,
    events,
    origin::{AllowedOrigins, Destination, Target},
};

/// Destinations that are remembered as already warned about.
const STRANGERS: usize = 64;

pub(super) struct Rules {
    tokens: TokenCaches,
    origins: AllowedOrigins,
    terms: Terms,
    hasher: RandomState,
    strangers: Mutex<HashSet<u64>>,
    warned_of_channel: AtomicBool,
}

impl Rules {
    pub(super) fn new(tokens: TokenCaches, origins: AllowedOrigins, terms: Terms) -> Self {
        Self {
            tokens,
            origins,
            terms,
            hasher: RandomState::new(),
            strangers: Mutex::default(),
            warned_of_channel: AtomicBool::new(false),
        }
    }

    pub(super) fn tokens(&self) -> &TokenCaches {
        &self.tokens
    }

    /// `channel_is_trusted`: where the connection goes is known to be allowed, whatever the
    /// request's URI says.
    #[inline]
    pub(super) fn authorize(
        &self,
        request: &RequestHead<'_>,
        channel_is_trusted: bool,
    ) -> Decision {
        if request.headers.contains_key(AUTHORIZATION)
            || !self.may_see_token(request, channel_is_trusted)
        {
            return Decision::PassThrough;
        }
        match self.token(request.extension()) {
            Some(token) => Decision::Authorize(Attempt::new(token, self.terms, request.method)),
            None => Decision::Wait(self.acquire(request)),
        }
    }

    /// Checks that a connection to `uri` goes to an allowed origin.
    pub(super) fn check_channel(&self, uri: &Uri) -> Result<(), Error> {
        match Target::from(uri).destination {
            Some(destination) if self.origins.contains(&destination) => Ok(()),
            Some(destination) => Err(Error::configuration(format!(
                "endpoint {destination}: expected one of the allowed origins, {:?}",
                self.origins
            ))),
            None => Err(Error::configuration(
                "endpoint: expected one with scheme and host, got a path",
            )),
        }
    }

    #[inline]
    fn token(&self, picked: Option<&TokenRequest>) -> Option<Issued> {
        match picked {
            Some(request) => self.tokens.hit(request, Issued::clone),
            None => {
                let tokens = self.tokens.default_cache();
                tokens.hit(tokens.now(), Issued::clone)
            }
        }
    }

    #[cold]
    fn acquire(&self, request: &RequestHead<'_>) -> AttemptFuture {
        let tokens = match request.extension() {
            Some(picked) => self.tokens.cache(picked),
            None => self.tokens.default_cache().clone(),
        };
        let (terms, method) = (self.terms, request.method.cloned());
        Box::pin(async move {
            // the request's own look has found no usable token
            let token = tokens.wait().await?;
            Ok(Attempt::new(token, terms, method.as_ref()))
        })
    }

    /// A URI proves where a request goes only to a client that connects by it. tonic's channel does
    /// not: its requests need a trusted channel, and an absolute URI has to match as well.
    fn may_see_token(&self, request: &RequestHead<'_>, channel_is_trusted: bool) -> bool {
        match &request.target.destination {
            Some(destination) if !self.origins.contains(destination) => {
                self.warn_of_stranger(destination);
                false
            }
            Some(_) if channel_is_trusted || request.target.is_certain || !request.is_grpc() => {
                true
            }
            None if channel_is_trusted => true,
            _ => {
                if !self.warned_of_channel.swap(true, Relaxed) {
                    events::untrusted_channel();
                }
                false
            }
        }
    }

    #[cold]
    fn warn_of_stranger(&self, destination: &Destination<'_>) {
        if self.is_new(self.hasher.hash_one(destination)) {
            events::unlisted_origin(destination);
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

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("tokens", self.tokens.default_cache())
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
