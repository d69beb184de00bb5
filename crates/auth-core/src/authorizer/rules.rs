//! The rules of one authorizer: its tokens, the origins that may receive them, and how responses
//! are classified.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use http::{
    HeaderValue, Uri,
    header::{AUTHORIZATION, HOST},
};

use super::{
    attempt::{Attempt, AttemptFuture},
    bindings::{Bindings, Route},
    classify::Classifier,
    connection::Connection,
    decision::Decision,
    head::RequestHead,
    logged_origins::{Log, LoggedOrigins},
    passing::{Passing, ResponseCheck},
    proof::{BoundRequest, Proof},
    sending::Sending,
};
use crate::{
    Dpop, Error, ErrorKind, TokenCache, TokenCaches, TokenRequest,
    cache::Issued,
    dpop::DPOP,
    events,
    origin::{Allowed, AllowedOrigins, Destination, Target},
};

/// The maximum number of characters of the `Host` headers in a log.
const MAX_HOSTS: usize = 256;

pub(super) struct Rules {
    caches: TokenCaches,
    origins: AllowedOrigins,
    bindings: Bindings,
    classifier: Classifier,
    /// The key to which the tokens are bound, if they are.
    dpop: Option<Dpop>,
    unlisted_origins: LoggedOrigins,
    other_hosts: LoggedOrigins,
    warned_of_channel: AtomicBool,
}

/// Whether a request may carry a token.
enum Access {
    No(Reason),
    /// Its URI names this allowed origin.
    Named(Allowed),
    /// Its URI is only a path, and its channel is trusted.
    Unnamed,
}

/// The reason why a request may carry no token.
#[derive(Clone, Copy)]
enum Reason {
    Unlisted,
    UntrustedChannel,
    /// Its `Host` header names another authority.
    OtherHost,
}

impl Rules {
    pub(super) fn new(
        caches: TokenCaches,
        origins: AllowedOrigins,
        bindings: Bindings,
        classifier: Classifier,
    ) -> Self {
        Self {
            dpop: caches.default_cache().dpop().cloned(),
            caches,
            origins,
            bindings,
            classifier,
            unlisted_origins: LoggedOrigins::default(),
            other_hosts: LoggedOrigins::default(),
            warned_of_channel: AtomicBool::new(false),
        }
    }

    pub(super) fn caches(&self) -> &TokenCaches {
        &self.caches
    }

    #[inline]
    pub(super) fn authorize(&self, request: &RequestHead<'_>, connection: Connection) -> Decision {
        if request.headers.contains_key(AUTHORIZATION) {
            return self.leave_unchanged(request, connection);
        }
        if let Some(dpop) = &self.dpop {
            return self.authorize_bound(dpop, request, connection);
        }
        let is_grpc = request.is_grpc();
        match self.pick(request, connection, is_grpc) {
            Ok(chosen) => self.authorize_with(chosen, request, is_grpc),
            Err(decision) => decision,
        }
    }

    /// Returns the token request whose token a request carries: `None` is the default one. If the request
    /// carries no token, the error is the decision about it.
    #[inline(always)]
    fn pick<'r>(
        &'r self,
        request: &RequestHead<'r>,
        connection: Connection,
        is_grpc: bool,
    ) -> Result<Option<&'r TokenRequest>, Decision> {
        let named = match self.access(request, connection, is_grpc) {
            Access::No(reason) => {
                self.warn(reason, request);
                return Err(Decision::PassThrough(self.unlisted()));
            }
            Access::Named(origin) => Some(origin),
            Access::Unnamed => None,
        };
        let picked = request.extension();
        if self.bindings.is_empty() {
            return Ok(picked);
        }
        self.choose(picked, request, connection, named)
            .map_err(Decision::fail)
    }

    /// Decides about a request whose token is bound to a key. It also needs a proof, unless it has one of
    /// its own.
    #[inline(never)]
    fn authorize_bound(
        &self,
        dpop: &Dpop,
        request: &RequestHead<'_>,
        connection: Connection,
    ) -> Decision {
        if request.headers.contains_key(DPOP) {
            return self.leave_unchanged(request, connection);
        }
        let is_grpc = request.is_grpc();
        let chosen = match self.pick(request, connection, is_grpc) {
            Ok(chosen) => chosen,
            Err(decision) => return decision,
        };
        let bound = match BoundRequest::new(dpop, request, self.origin_of(request, connection)) {
            Ok(bound) => bound,
            Err(error) => return Decision::fail(error),
        };
        let sending = Sending::first(self.classifier, request.method, is_grpc);
        let token = self.token(chosen);
        let proof = token.as_ref().and_then(|token| bound.prove_now(token));
        match (token, proof) {
            (_, Some(Err(error))) => Decision::fail(error),
            (Some(token), Some(Ok(proof))) => {
                Decision::Authorize(Attempt::of(token, Some(Arc::new(proof)), sending))
            }
            (token, None) | (token @ None, _) => {
                let tokens = self.cache(chosen);
                Decision::Wait(Box::pin(async move {
                    let (token, proof) = proven(&tokens, token, &bound).await?;
                    Ok(Attempt::of(token, Some(Arc::new(proof)), sending))
                }))
            }
        }
    }

    /// Returns the origin to which a request is sent, if it is known. A channel connects to its own,
    /// whatever the URI says.
    fn origin_of(&self, request: &RequestHead<'_>, connection: Connection) -> Option<String> {
        let channel = match connection {
            Connection::To(Allowed::Listed(place)) => self.origins.get(place),
            _ => None,
        };
        match channel {
            Some(origin) => Some(origin.to_string()),
            None => Some(request.target.destination?.origin()?.to_string()),
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
    fn authorize_with(
        &self,
        chosen: Option<&TokenRequest>,
        request: &RequestHead<'_>,
        is_grpc: bool,
    ) -> Decision {
        match self.token(chosen) {
            Some(token) => {
                let (classifier, method) = (self.classifier, request.method);
                Decision::Authorize(Attempt::new(token, classifier, method, is_grpc))
            }
            None => Decision::Wait(self.acquire(chosen, request, is_grpc)),
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

    fn cache(&self, chosen: Option<&TokenRequest>) -> TokenCache {
        match chosen {
            Some(chosen) => self.caches.cache(chosen),
            None => self.caches.default_cache().clone(),
        }
    }

    #[cold]
    fn acquire(
        &self,
        chosen: Option<&TokenRequest>,
        request: &RequestHead<'_>,
        is_grpc: bool,
    ) -> AttemptFuture {
        let tokens = self.cache(chosen);
        let (classifier, method) = (self.classifier, request.method.cloned());
        Box::pin(async move {
            // `token` has found no usable token
            let token = tokens.wait().await?;
            Ok(Attempt::new(token, classifier, method.as_ref(), is_grpc))
        })
    }

    /// Returns whether a request may carry a token. The URI of a request proves its destination
    /// only if the client connects by the URI. tonic's channel does not: its requests need a
    /// trusted channel, and the origin of an absolute URI has to be allowed as well.
    #[inline]
    fn access(&self, request: &RequestHead<'_>, connection: Connection, is_grpc: bool) -> Access {
        let is_trusted = !matches!(connection, Connection::ByUri);
        let access = match &request.target.destination {
            Some(destination) => match self.origins.find(destination) {
                None => return Access::No(Reason::Unlisted),
                Some(origin) if is_trusted || request.target.is_certain || !is_grpc => {
                    Access::Named(origin)
                }
                Some(_) => return Access::No(Reason::UntrustedChannel),
            },
            None if is_trusted => Access::Unnamed,
            None => return Access::No(Reason::UntrustedChannel),
        };
        if request.headers.contains_key(HOST) && !self.is_named_by_hosts(request, connection) {
            return Access::No(Reason::OtherHost);
        }
        access
    }

    /// Returns whether each `Host` header of a request names its destination. A server, or a proxy
    /// before it, may serve the host of the header and not that of the connection.
    #[cold]
    fn is_named_by_hosts(&self, request: &RequestHead<'_>, connection: Connection) -> bool {
        let mut hosts = request.headers.get_all(HOST).iter();
        hosts.all(|host| self.is_named_by(host, request, connection))
    }

    fn is_named_by(
        &self,
        host: &HeaderValue,
        request: &RequestHead<'_>,
        connection: Connection,
    ) -> bool {
        let by_uri = request.target.destination;
        if by_uri.is_some_and(|destination| !destination.is_named_by(host)) {
            return false;
        }
        let channel = match connection {
            Connection::To(Allowed::Listed(place)) => self.origins.get(place),
            _ => None,
        };
        match channel {
            Some(origin) => Destination::from(origin).is_named_by(host),
            None if by_uri.is_some() => true,
            // the origin of the channel is not known: it is one of the allowed ones
            None => Destination::all_in_host_header(host)
                .any(|named| self.origins.find(&named).is_some()),
        }
    }

    /// Decides about a request that has an `Authorization` header of its own, or a proof.
    #[cold]
    fn leave_unchanged(&self, request: &RequestHead<'_>, connection: Connection) -> Decision {
        Decision::PassThrough(match self.is_unlisted(request, connection) {
            true => self.unlisted(),
            false => Passing(ResponseCheck::Unneeded),
        })
    }

    /// Describes a request that may carry no token.
    fn unlisted(&self) -> Passing {
        Passing(match self.origins.is_any() {
            true => ResponseCheck::Unneeded,
            false => ResponseCheck::Unlisted,
        })
    }

    /// Returns whether a request goes to an unlisted origin, or to one that is not known.
    pub(super) fn is_unlisted(&self, request: &RequestHead<'_>, connection: Connection) -> bool {
        !self.origins.is_any()
            && matches!(
                self.access(request, connection, request.is_grpc()),
                Access::No(_)
            )
    }

    /// Returns whether a request to `next` may carry a token. `None` is a host that cannot be
    /// compared.
    pub(super) fn may_lead_to(&self, next: Option<Target<'_>>) -> bool {
        let next = next.and_then(|target| target.destination);
        next.is_none_or(|next| self.origins.find(&next).is_some())
    }

    #[cold]
    fn warn(&self, reason: Reason, request: &RequestHead<'_>) {
        let destination = &request.target.destination;
        let shown: &dyn fmt::Display = match destination {
            Some(destination) => destination,
            None => &"the endpoint of its channel",
        };
        match reason {
            Reason::Unlisted => match self.unlisted_origins.add(destination) {
                Log::Origin => events::unlisted_origin(shown),
                Log::HasMore => events::more_destinations("unlisted_origin"),
                Log::Nothing => {}
            },
            Reason::OtherHost => match self.other_hosts.add(destination) {
                Log::Origin => events::host_mismatch(shown, &hosts(request)),
                Log::HasMore => events::more_destinations("host_mismatch"),
                Log::Nothing => {}
            },
            Reason::UntrustedChannel => {
                if !self.warned_of_channel.swap(true, Relaxed) {
                    events::untrusted_channel();
                }
            }
        }
    }
}

/// Returns a token, and the proof for it. `token` is one that was found already. The token may expire
/// while a key that needs I/O makes its proof; then both are made again, twice at most.
async fn proven(
    tokens: &TokenCache,
    mut token: Option<Issued>,
    bound: &Arc<BoundRequest>,
) -> Result<(Issued, Proof), Error> {
    for _ in 0..3 {
        let current = match token
            .take()
            .or_else(|| tokens.hit(tokens.now(), Issued::clone))
        {
            Some(token) => token,
            None => tokens.wait().await?,
        };
        let proof = bound.prove(&current).await?;
        if proof.is_local() || current.is_current() {
            return Ok((current, proof));
        }
    }
    Err(Error::new(
        ErrorKind::Timeout,
        "DPoP proof: expected it while the token is usable, got it after the token had expired or been \
         replaced, three times in a row; the key takes too long for tokens of this lifetime",
    ))
}

/// Returns the `Host` headers of a request, shortened.
fn hosts(request: &RequestHead<'_>) -> String {
    let hosts: Vec<_> = request.headers.get_all(HOST).iter().collect();
    format!("{hosts:?}").chars().take(MAX_HOSTS).collect()
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("tokens", self.caches.default_cache())
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
