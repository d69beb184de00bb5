//! Token requests that are bound to origins.

use std::fmt::Display;

use crate::{
    Error, TokenRequest,
    origin::{Allowed, AllowedOrigins},
};

/// The token requests that are bound to origins, in the order of the list of allowed origins. Empty
/// if none is bound.
pub(super) struct Bindings(Box<[Option<TokenRequest>]>);

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
    pub(super) fn new(by_origin: Vec<Option<TokenRequest>>) -> Self {
        if by_origin.iter().all(Option::is_none) {
            return Self(Box::default());
        }
        Self(by_origin.into())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the token request whose token a request carries: `picked`, from the request's
    /// extensions, or else the one that is bound to the origin of the request. `None` if there is
    /// neither.
    ///
    /// # Errors
    /// If `picked` is bound to another origin, or if the origin of the channel and the origin that
    /// the URI names have different bindings.
    pub(super) fn choose<'r>(
        &'r self,
        picked: Option<&'r TokenRequest>,
        route: &Route<'_>,
        origins: &AllowedOrigins,
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
                _ => Ok(bound),
            };
        };
        match (destination, self.origin_of(picked)) {
            (Some(destination), Some(other)) if bound != Some(picked) => {
                Err(Error::configuration(format!(
                    "request to {}: expected a token request that may be used there, got the one \
                     that is bound to {}; pick one that is bound to this origin, or to none",
                    name(destination),
                    name(other)
                )))
            }
            _ => Ok(Some(picked)),
        }
    }

    fn bound_to(&self, origin: Allowed) -> Option<&TokenRequest> {
        match origin {
            Allowed::Listed(place) => self.0.get(place)?.as_ref(),
            Allowed::Any => None,
        }
    }

    /// Returns an origin that `request` is bound to.
    fn origin_of(&self, request: &TokenRequest) -> Option<Allowed> {
        let is_this = |bound: &Option<TokenRequest>| bound.as_ref() == Some(request);
        self.0.iter().position(is_this).map(Allowed::Listed)
    }
}
