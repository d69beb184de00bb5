//! The rules of one authorizer: its tokens, the origins that may receive them, and how responses
//! are classified.

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

use super::{
    attempt::{Attempt, AttemptFuture},
    bindings::{Bindings, Route},
    classify::Classifier,
    connection::Connection,
    decision::Decision,
    head::RequestHead,
};
use crate::{
    Error, TokenCaches, TokenRequest,
    cache::Issued,
    events,
    origin::{Allowed, AllowedOrigins, Destination, Target},
};

/// The maximum number of unlisted origins that are remembered, so that each is logged once.
const UNLISTED_ORIGINS: usize = 64;

pub(super) struct Rules {
    caches: TokenCaches,
    origins: AllowedOrigins,
    bindings: Bindings,
    classifier: Classifier,
    hasher: RandomState,
    unlisted_origins: Mutex<HashSet<u64>>,
    warned_of_channel: AtomicBool,
}

/// Whether a request may carry a token.
enum Access {
    No,
    /// Its URI names this allowed origin.
    Named(Allowed),
    /// Its URI is only a path, and its channel is trusted.
    Unnamed,
}

impl Rules {
    pub(super) fn new(
        caches: TokenCaches,
        origins: AllowedOrigins,
        bindings: Bindings,
        classifier: Classifier,
    ) -> Self {
        Self {
            caches,
            origins,
            bindings,
            classifier,
            hasher: RandomState::new(),
            unlisted_origins: Mutex::default(),
            warned_of_channel: AtomicBool::new(false),
        }
    }

    pub(super) fn caches(&self) -> &TokenCaches {
        &self.caches
    }

    #[inline]
    pub(super) fn authorize(&self, request: &RequestHead<'_>, connection: Connection) -> Decision {
        if request.headers.contains_key(AUTHORIZATION) {
            return Decision::PassThrough;
        }
        let named = match self.access(request, connection) {
            Access::No => return Decision::PassThrough,
            Access::Named(origin) => Some(origin),
            Access::Unnamed => None,
        };
        let picked = request.extension();
        if self.bindings.is_empty() {
            return self.authorize_with(picked, request);
        }
        match self.choose(picked, request, connection, named) {
            Ok(chosen) => self.authorize_with(chosen, request),
            Err(error) => Decision::fail(error),
        }
    }

    /// Checks that a connection to `uri` goes to an allowed origin.
    pub(super) fn check_channel(&self, uri: &Uri) -> Result<Allowed, Error> {
        let Some(destination) = Target::from(uri).destination else {
            return Err(Error::configuration(
                "endpoint: expected a URI with scheme and host, such as \
                 https://api.example.com, got only a path",
            ));
        };
        self.origins.find(&destination).ok_or_else(|| {
            Error::configuration(format!(
                "endpoint {destination}: expected one of the allowed origins, {:?}",
                self.origins
            ))
        })
    }

    #[inline]
    fn authorize_with(&self, chosen: Option<&TokenRequest>, request: &RequestHead<'_>) -> Decision {
        match self.token(chosen) {
            Some(token) => {
                Decision::Authorize(Attempt::new(token, self.classifier, request.method))
            }
            None => Decision::Wait(self.acquire(chosen, request)),
        }
    }

    fn choose<'r>(
        &'r self,
        picked: Option<&'r TokenRequest>,
        request: &RequestHead<'_>,
        connection: Connection,
        named: Option<Allowed>,
    ) -> Result<Option<&'r TokenRequest>, Error> {
        let channel = match connection {
            Connection::ByUri | Connection::Trusted => None,
            Connection::To(origin) => Some(origin),
        };
        let unlisted: &dyn fmt::Display = match &request.target.destination {
            Some(destination) => destination,
            None => &"an unlisted origin",
        };
        let route = Route {
            channel,
            named,
            unlisted,
        };
        self.bindings
            .choose(picked, &route, &self.origins, &self.caches)
    }

    #[inline]
    fn token(&self, chosen: Option<&TokenRequest>) -> Option<Issued> {
        match chosen {
            Some(request) => self.caches.hit(request, Issued::clone),
            None => {
                let tokens = self.caches.default_cache();
                tokens.hit(tokens.now(), Issued::clone)
            }
        }
    }

    #[cold]
    fn acquire(&self, chosen: Option<&TokenRequest>, request: &RequestHead<'_>) -> AttemptFuture {
        let tokens = match chosen {
            Some(chosen) => self.caches.cache(chosen),
            None => self.caches.default_cache().clone(),
        };
        let (classifier, method) = (self.classifier, request.method.cloned());
        Box::pin(async move {
            // `token` has found no usable token
            let token = tokens.wait().await?;
            Ok(Attempt::new(token, classifier, method.as_ref()))
        })
    }

    /// Returns whether a request may carry a token. The URI of a request proves its destination
    /// only if the client connects by the URI. tonic's channel does not: its requests need a
    /// trusted channel, and the origin of an absolute URI has to be allowed as well.
    #[inline]
    fn access(&self, request: &RequestHead<'_>, connection: Connection) -> Access {
        let is_trusted = !matches!(connection, Connection::ByUri);
        match &request.target.destination {
            Some(destination) => match self.origins.find(destination) {
                None => {
                    self.warn_of_unlisted_origin(destination);
                    Access::No
                }
                Some(origin) if is_trusted || request.target.is_certain || !request.is_grpc() => {
                    Access::Named(origin)
                }
                Some(_) => self.untrusted_channel(),
            },
            None if is_trusted => Access::Unnamed,
            None => self.untrusted_channel(),
        }
    }

    #[cold]
    fn untrusted_channel(&self) -> Access {
        if !self.warned_of_channel.swap(true, Relaxed) {
            events::untrusted_channel();
        }
        Access::No
    }

    #[cold]
    fn warn_of_unlisted_origin(&self, destination: &Destination<'_>) {
        if self.is_new(self.hasher.hash_one(destination)) {
            events::unlisted_origin(destination);
        }
    }

    fn is_new(&self, unlisted_origin: u64) -> bool {
        let mut known = self
            .unlisted_origins
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.len() < UNLISTED_ORIGINS && known.insert(unlisted_origin)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("tokens", self.caches.default_cache())
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
