//! Where a request goes.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use http::{Uri, uri::Authority};

use super::{
    host::{self, Host},
    http_url::split_port,
    scheme::Scheme,
    value::Origin,
};

/// Where a request goes, as far as its URI tells.
///
/// Made from an [`http::Uri`], or [from the parts](Self::from_parts) of a URL. It borrows them:
/// making one costs no allocation.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `None`: the URI is only a path.
    pub(crate) destination: Option<Destination<'a>>,
    /// Whether the client certainly connects by it.
    pub(crate) is_certain: bool,
}

impl<'a> Target<'a> {
    /// The target of a client that certainly connects to this host and port, as reqwest does.
    ///
    /// `host` is a name, an IPv4 address, or an IPv6 address in brackets. `port`: `None` is the
    /// scheme's default.
    #[must_use]
    #[inline]
    pub fn from_parts(scheme: &str, host: &'a str, port: Option<u16>) -> Self {
        Self {
            destination: Some(Destination {
                scheme: Scheme::of(scheme),
                place: Place::Parts { host, port },
            }),
            is_certain: true,
        }
    }
}

impl<'a> From<&'a Uri> for Target<'a> {
    /// A client may connect elsewhere than its request's URI says. tonic's `Channel` does; its
    /// requests are known by their content type. A URI without an authority, such as
    /// `/pkg.Service/Method`, names no destination.
    #[inline]
    fn from(uri: &'a Uri) -> Self {
        // compared as it stands, and not as text: this is on the path of every request
        let scheme = match uri.scheme() {
            Some(scheme) if *scheme == http::uri::Scheme::HTTPS => Scheme::Https,
            Some(scheme) if *scheme == http::uri::Scheme::HTTP => Scheme::Http,
            _ => Scheme::Other,
        };
        Self {
            destination: uri.authority().map(|authority| Destination {
                scheme,
                place: Place::Authority(authority),
            }),
            is_certain: false,
        }
    }
}

/// The scheme, host and port that a URI names; taken apart only when that is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'a> {
    scheme: Scheme,
    place: Place<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    Authority(&'a Authority),
    Parts { host: &'a str, port: Option<u16> },
}

impl<'a> Destination<'a> {
    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether the URI has this authority, letter for letter.
    #[inline]
    pub(super) fn is_written(&self, authority: &str) -> bool {
        matches!(self.place, Place::Authority(place) if place.as_str() == authority)
    }

    /// The host as it is written.
    pub(crate) fn host(&self) -> &'a str {
        match self.place {
            Place::Authority(authority) => authority.host(),
            Place::Parts { host, .. } => host,
        }
    }

    /// Host and port. `None`: [`http::Uri`] takes what is no authority, such as a port of 65536, and
    /// clients may understand it differently.
    pub(super) fn host_and_port(&self) -> Option<(&'a str, u16)> {
        let (host, port) = match self.place {
            Place::Authority(authority) => {
                let authority = authority.as_str();
                let (_, place) = authority.rsplit_once('@').unwrap_or(("", authority));
                split_port(place).ok()?
            }
            Place::Parts { host, port } => (host, port),
        };
        Some((host, port.unwrap_or(self.scheme.default_port())))
    }

    /// Whether this is `origin`.
    pub(super) fn is(&self, origin: &Origin) -> bool {
        self.scheme == origin.scheme_value()
            && self.host_and_port().is_some_and(|(host, port)| {
                port == origin.port() && host::is_same(origin.host(), host)
            })
    }

    /// Its origin. `None`: it has another scheme than `http` and `https`, or a malformed host.
    pub(crate) fn origin(&self) -> Option<Origin> {
        if self.scheme == Scheme::Other {
            return None;
        }
        let (host, port) = self.host_and_port()?;
        let host = Host::parse(host).ok()?;
        Some(Origin::new(self.scheme, host, Some(port)))
    }
}

impl Hash for Destination<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.scheme, self.host(), self.host_and_port()).hash(state);
    }
}

impl fmt::Display for Destination<'_> {
    /// Never the user information, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin() {
            Some(origin) => origin.fmt(f),
            None => write!(f, "{}://{}", self.scheme.as_str(), self.host()),
        }
    }
}
