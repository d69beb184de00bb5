//! The destination of a request.

mod owned;

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
};

use http::{HeaderValue, Uri, uri::Authority};

pub(crate) use owned::OwnedTarget;

use super::{
    host::{self, Host, without_final_dot},
    http_url::split_port,
    ipv4,
    scheme::Scheme,
    value::Origin,
};

/// The destination of a request, as far as its URI tells.
///
/// Created from an [`http::Uri`], or [from the parts](Self::from_parts) of a URL. It borrows them,
/// and does not allocate.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// `None` if the URI is only a path.
    pub(crate) destination: Option<Destination<'a>>,
    /// Whether the client certainly connects to this destination.
    pub(crate) is_certain: bool,
}

impl<'a> Target<'a> {
    /// Creates the target of a client that certainly connects to this host and port, as reqwest
    /// does.
    ///
    /// `host` is a name, an IPv4 address, or an IPv6 address in brackets. A `port` of `None` is the
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
    /// A client may connect to another destination than its request's URI names. tonic's `Channel`
    /// does; its requests are recognized by their content type. A URI without an authority, such as
    /// `/pkg.Service/Method`, names no destination.
    #[inline]
    fn from(uri: &'a Uri) -> Self {
        // compared by value, which is faster than as text: this is on the path of every request
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

impl<'a> From<&'a Origin> for Target<'a> {
    fn from(origin: &'a Origin) -> Self {
        Self {
            destination: Some(Destination::from(origin)),
            is_certain: false,
        }
    }
}

/// The scheme, host and port that a URI names. The authority is split only when needed.
#[derive(Clone, Copy)]
pub(crate) struct Destination<'a> {
    scheme: Scheme,
    place: Place<'a>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Authority(&'a Authority),
    Parts { host: &'a str, port: Option<u16> },
}

impl<'a> Destination<'a> {
    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns whether the URI has exactly this authority.
    #[inline]
    pub(super) fn is_written(&self, authority: &str) -> bool {
        matches!(self.place, Place::Authority(place) if place.as_str() == authority)
    }

    /// Returns the host in its normalized form. A malformed host is returned as written.
    pub(crate) fn normalized_host(&self) -> Cow<'a, str> {
        host::normalized(self.host())
    }

    /// Returns the host as written.
    fn host(&self) -> &'a str {
        match self.place {
            Place::Authority(authority) => authority.host(),
            Place::Parts { host, .. } => host,
        }
    }

    /// Returns host and port. `None` if the authority is malformed: [`http::Uri`] accepts a port of
    /// 65536, for example, which clients may read differently.
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

    /// Returns whether this is `origin`.
    pub(super) fn is(&self, origin: &Origin) -> bool {
        self.scheme == origin.scheme_value()
            && self.host_and_port().is_some_and(|(host, port)| {
                port == origin.port() && host::is_same(origin.host(), host)
            })
    }

    /// Returns whether a `Host` header names this host and port (RFC 9110 §7.2).
    pub(crate) fn is_named_by(&self, header: &HeaderValue) -> bool {
        let named = Destination::in_host_header(self.scheme, header);
        let named = named.and_then(|named| named.host_and_port());
        let (Some((host, port)), Some((named_host, named_port))) = (self.host_and_port(), named)
        else {
            return false;
        };
        let hosts = (Host::parse(host), Host::parse(named_host));
        port == named_port && matches!(hosts, (Ok(host), Ok(named)) if host.is_same(named))
    }

    /// Returns the destinations that a `Host` header may name, if nothing else says the scheme.
    pub(crate) fn all_in_host_header(
        header: &HeaderValue,
    ) -> impl Iterator<Item = Destination<'_>> {
        let schemes = [Scheme::Https, Scheme::Http].into_iter();
        schemes.filter_map(|scheme| Destination::in_host_header(scheme, header))
    }

    /// Reads a `Host` header. One with user information is malformed: `@` is no character of a host.
    fn in_host_header(scheme: Scheme, header: &HeaderValue) -> Option<Destination<'_>> {
        let (host, port) = split_port(header.to_str().ok()?.trim_matches([' ', '\t'])).ok()?;
        Some(Destination {
            scheme,
            place: Place::Parts { host, port },
        })
    }

    /// Returns the origin. `None` if the scheme is neither `http` nor `https`, or the host or port
    /// is malformed.
    pub(crate) fn origin(&self) -> Option<Origin> {
        if self.scheme == Scheme::Other {
            return None;
        }
        let (host, port) = self.host_and_port()?;
        let host = Host::parse(host).ok()?;
        Some(Origin::new(self.scheme, host, Some(port)))
    }
}

impl<'a> From<&'a Origin> for Destination<'a> {
    fn from(origin: &'a Origin) -> Self {
        Self {
            scheme: origin.scheme_value(),
            place: Place::Parts {
                host: origin.host(),
                port: Some(origin.port()),
            },
        }
    }
}

/// Spellings of one origin have one hash. A malformed authority counts by its host alone, as it is
/// displayed.
impl Hash for Destination<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let written = self.host_and_port();
        let (host, port) = written.map_or((self.host(), None), |(host, port)| (host, Some(port)));
        (self.scheme, port).hash(state);
        let address = ipv4::parse_any_form(host).map(Host::Ipv4);
        match address.map_or_else(|| Host::parse(host), Ok) {
            Ok(Host::Ipv4(address)) => address.hash(state),
            Ok(Host::Ipv6(address)) => address.hash(state),
            Ok(Host::Name(_)) | Err(_) => {
                // in pieces, which a hasher takes faster than single octets
                let mut lower = [0; 64];
                for piece in without_final_dot(host).as_bytes().chunks(lower.len()) {
                    let lower = &mut lower[..piece.len()];
                    lower.copy_from_slice(piece);
                    lower.make_ascii_lowercase();
                    state.write(lower);
                }
            }
        }
    }
}

/// Leaves out user information, which may be secret.
impl fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Destination<'_> {
    /// Leaves out the user information, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin() {
            Some(origin) => origin.fmt(f),
            None => write!(f, "{}://{}", self.scheme.as_str(), self.host()),
        }
    }
}
