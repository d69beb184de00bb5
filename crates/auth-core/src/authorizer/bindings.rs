//! Token requests that are bound to origins.

use std::fmt::Display;

use crate::{
    Error, TokenCaches, TokenRequest,
    origin::{Allowed, AllowedOrigins},
};

/// The token requests that are bound to origins. They are effective requests, completed by the
/// defaults of the source: two given requests that are one there have one token.
pub(super) struct Bindings {
    /// In the order of the list of allowed origins. Empty if none is bound.
    by_origin: Box<[Option<TokenRequest>]>,
    /// An origin that the default token request is bound to.
    default_bound_to: Option<Allowed>,
}

/// The destination of a request.
pub(super) struct Route<'a> {
    /// The origin of the connection, if it is known.
    pub(super) channel: Option<Allowed>,
    /// The origin that the request's URI names.
    pub(super) named: Option<Allowed>,
    /// The name of an unlisted origin in error texts.
    pub(super) unlisted: &'a dyn Display,
}

impl Bindings {
    pub(super) fn new(by_origin: Vec<Option<TokenRequest>>, tokens: &TokenCaches) -> Self {
        let mut bindings = Self {
            by_origin: Box::default(),
            default_bound_to: None,
        };
        if by_origin.iter().any(Option::is_some) {
            bindings.by_origin = by_origin.into();
            let default = tokens.effective_request(tokens.default_cache().request());
            bindings.default_bound_to = bindings.origin_of(&default);
        }
        bindings
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.by_origin.is_empty()
    }

    /// Returns the token request whose token a request carries: `picked`, from the request's
    /// extensions, or else the one that is bound to the origin of the request. `None` if there is
    /// neither.
    ///
    /// # Errors
    /// If the token request is bound to another origin than the request's, or the request's origin is
    /// not known; or if the origin of the channel and the origin that the URI names have different
    /// bindings.
    pub(super) fn choose<'r>(
        &'r self,
        picked: Option<&'r TokenRequest>,
        route: &Route<'_>,
        origins: &AllowedOrigins,
        tokens: &TokenCaches,
    ) -> Result<Option<&'r TokenRequest>, Error> {
        let name = |origin: Allowed| match origin {
            Allowed::Listed(place) => origins.get(place).map(ToString::to_string),
            Allowed::Any => None,
        };
        let name = |origin| name(origin).unwrap_or_else(|| route.unlisted.to_string());
        // if there is a channel, the connection goes to its origin and not to that of the URI
        let destination = route.channel.or(route.named);
        let bound = destination.and_then(|origin| self.bound_to(origin));
        let Some(picked) = picked else {
            return match (route.channel, route.named) {
                (Some(channel), Some(named)) if self.bound_to(named) != bound => {
                    Err(Error::configuration(format!(
                        "request to {}: expected the token request of its channel's origin, {}, \
                         got another; bind the same one to both origins, or to neither",
                        name(named),
                        name(channel)
                    )))
                }
                _ if bound.is_some() => Ok(bound),
                // the default token is sent, unless its token request is bound to other origins
                _ => match self.default_bound_to {
                    None => Ok(None),
                    Some(other) => Err(misdirected(destination.map(name), &name(other))),
                },
            };
        };
        if bound == Some(picked) {
            return Ok(bound);
        }
        let elsewhere =
            tokens.with_effective_request(picked, |picked| match bound == Some(picked) {
                true => None,
                false => self.origin_of(picked),
            });
        match elsewhere {
            Some(other) => Err(misdirected(destination.map(name), &name(other))),
            None => Ok(Some(picked)),
        }
    }

    fn bound_to(&self, origin: Allowed) -> Option<&TokenRequest> {
        match origin {
            Allowed::Listed(place) => self.by_origin.get(place)?.as_ref(),
            Allowed::Any => None,
        }
    }

    /// Returns an origin that `request` is bound to.
    fn origin_of(&self, request: &TokenRequest) -> Option<Allowed> {
        let is_this = |bound: &Option<TokenRequest>| bound.as_ref() == Some(request);
        let place = self.by_origin.iter().position(is_this);
        place.map(Allowed::Listed)
    }
}

/// Returns the error for a request to `destination` whose token request is bound to `bound_to`.
fn misdirected(destination: Option<String>, bound_to: &str) -> Error {
    Error::configuration(match destination {
        Some(destination) => format!(
            "request to {destination}: expected a token request that may be used there, got the \
             one that is bound to {bound_to}; pick one that is bound to this origin, or to none"
        ),
        None => format!(
            "request over a trusted channel: its origin is not known, and its token request is \
             bound to {bound_to}; name the channel's endpoint by for_channel or for_endpoint"
        ),
    })
}
