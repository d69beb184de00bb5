//! The origins that may receive a token.

use std::fmt;

use super::{host::Host, scheme::Scheme, target::Destination, value::Origin};
use crate::Error;

/// The origins that may receive a token.
///
/// Only `https` origins, except on loopback, and only listed origins, unless
/// [`danger_any_origin`](crate::AuthorizerBuilder::danger_any_origin) permits every origin.
#[derive(Clone)]
pub(crate) struct AllowedOrigins {
    listed: Box<[Listed]>,
    any: bool,
    http: bool,
}

#[derive(Clone)]
struct Listed {
    origin: Origin,
    /// Host and port as most URIs write them, without a default port.
    authority: String,
}

/// The reason why an origin is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Allowed {
    /// It is listed, at this place.
    Listed(usize),
    /// Every origin is allowed.
    Any,
}

impl AllowedOrigins {
    pub(crate) fn new(listed: Vec<Origin>, any: bool, http: bool) -> Result<Self, Error> {
        let open =
            |origin: &&Origin| origin.scheme_value() == Scheme::Http && !origin.is_loopback();
        if let Some(origin) = listed.iter().find(open).filter(|_| !http) {
            return Err(Error::configuration(format!(
                "origin {origin}: expected https, got http to a host that is not loopback, which \
                 would show the token to the network; danger_allow_http permits it"
            )));
        }
        if listed.is_empty() && !any {
            return Err(Error::configuration(
                "origins: expected at least one such as https://api.example.com that may receive \
                 the token, got none",
            ));
        }
        let listed = listed.into_iter().map(|origin| Listed {
            authority: origin.authority(),
            origin,
        });
        Ok(Self {
            listed: listed.collect(),
            any,
            http,
        })
    }

    /// Returns why a request to `destination` may carry a token. `None` if it may not.
    #[inline]
    pub(crate) fn find(&self, destination: &Destination<'_>) -> Option<Allowed> {
        // most URIs are written like the list
        let written = |listed: &Listed| {
            listed.origin.scheme_value() == destination.scheme()
                && destination.is_written(&listed.authority)
        };
        match self.listed.iter().position(written) {
            Some(place) => Some(Allowed::Listed(place)),
            None => self.find_by_parts(destination),
        }
    }

    fn find_by_parts(&self, destination: &Destination<'_>) -> Option<Allowed> {
        let same = |listed: &Listed| destination.is(&listed.origin);
        if let Some(place) = self.listed.iter().position(same) {
            return Some(Allowed::Listed(place));
        }
        if !self.any {
            return None;
        }
        let (host, _) = destination.host_and_port()?;
        let host = Host::parse(host).ok()?;
        let permitted = match destination.scheme() {
            Scheme::Https => true,
            Scheme::Http => self.http || host.is_loopback(),
            Scheme::Other => false,
        };
        permitted.then_some(Allowed::Any)
    }

    /// Returns whether every origin is allowed.
    pub(crate) fn is_any(&self) -> bool {
        self.any
    }

    /// Returns the origin at a place of the list.
    pub(crate) fn get(&self, place: usize) -> Option<&Origin> {
        Some(&self.listed.get(place)?.origin)
    }
}

impl fmt::Debug for AllowedOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any {
            f.write_str("any origin")
        } else {
            let origins = self.listed.iter().map(|listed| &listed.origin);
            f.debug_list().entries(origins).finish()
        }
    }
}
