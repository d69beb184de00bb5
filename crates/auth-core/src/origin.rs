//! Who may see a token: origins, and whether a request goes to one of them.

use std::{
    fmt,
    hash::{Hash, Hasher},
    net::IpAddr,
};

use http::{Uri, uri::Authority};
use url::{Host, Url};

use crate::{Error, redact::without_secrets};

/// The schemes that are told apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Scheme {
    Https,
    Http,
    /// On no list.
    Other,
}

impl Scheme {
    fn of(text: &str) -> Self {
        match text {
            "https" => Self::Https,
            "http" => Self::Http,
            _ => Self::Other,
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
            Self::Other => 0,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Other => "other",
        })
    }
}

/// Scheme, host and port, normalized: lower case, IDNA, the scheme's default port filled in.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(crate) struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
    /// Host and port as they are mostly written, without a default port.
    authority: String,
}

impl Origin {
    /// An origin as people write one: `https://api.example.com`, with or without a `/`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let (origin, url) = Self::split(text)?;
        if matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none() {
            return Ok(origin);
        }
        Err(unfit(text, "more than scheme, host and port"))
    }

    /// The origin of a URL, whatever its path.
    pub(crate) fn of_url(text: &str) -> Result<Self, Error> {
        Ok(Self::split(text)?.0)
    }

    fn split(text: &str) -> Result<(Self, Url), Error> {
        let url = Url::parse(text).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => unfit(text, "one without a scheme"),
            e => unfit(text, "one that cannot be read").with_source(e),
        })?;
        let scheme = Scheme::of(url.scheme());
        if scheme == Scheme::Other {
            return Err(unfit(text, &format!("the scheme {}", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unfit(text, "one with credentials in it"));
        }
        let host = match url.host_str() {
            None => return Err(unfit(text, "one without a host")),
            Some(host) if host.contains('*') => {
                return Err(unfit(text, "a wildcard: name each origin, or any_origin()"));
            }
            Some(host) => host,
        };
        let origin = Self {
            scheme,
            host: host.to_owned(),
            port: url.port().unwrap_or(scheme.default_port()),
            authority: match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            },
        };
        Ok((origin, url))
    }

    fn is_loopback(&self) -> bool {
        is_loopback_name(&self.host)
    }

    fn is(&self, destination: &Destination<'_>) -> bool {
        self.scheme == destination.scheme
            && (destination.is_written(&self.authority)
                || self.port == destination.port()
                    && self.host.eq_ignore_ascii_case(destination.host()))
    }
}

fn unfit(text: &str, what: &str) -> Error {
    Error::configuration(format!(
        "origin {:?}: expected one such as https://api.example.com, got {what}",
        without_secrets(text)
    ))
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether `host` is this machine: `localhost`, `127.0.0.0/8` or `::1`.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

fn is_loopback_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Where a request goes, as far as its URI tells.
///
/// Made from an [`http::Uri`] or a [`url::Url`]; borrowed, so that asking costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// None: the URI is only a path.
    pub(crate) destination: Option<Destination<'a>>,
    /// Whether the client certainly connects by it.
    pub(crate) is_certain: bool,
}

impl Target<'_> {
    /// Whether both name one origin.
    pub(crate) fn has_origin_of(&self, other: &Target<'_>) -> bool {
        let (Some(one), Some(other)) = (&self.destination, &other.destination) else {
            return false;
        };
        one.scheme == other.scheme
            && one.port() == other.port()
            && one.host().eq_ignore_ascii_case(other.host())
    }
}

/// A scheme, a host and a port that a URI names; taken apart only when that is needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'a> {
    scheme: Scheme,
    place: Place<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    Authority(&'a Authority),
    Url(&'a Url),
}

impl<'a> Destination<'a> {
    /// Whether this is letter for letter what the URI says.
    fn is_written(&self, authority: &str) -> bool {
        matches!(self.place, Place::Authority(place) if place.as_str() == authority)
    }

    pub(crate) fn host(&self) -> &'a str {
        match self.place {
            Place::Authority(authority) => authority.host(),
            Place::Url(url) => url.host_str().unwrap_or_default(),
        }
    }

    fn port(&self) -> u16 {
        let port = match self.place {
            Place::Authority(authority) => authority.port_u16(),
            Place::Url(url) => url.port(),
        };
        port.unwrap_or(self.scheme.default_port())
    }
}

impl Hash for Destination<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.scheme, self.host(), self.port()).hash(state);
    }
}

impl<'a> From<&'a Uri> for Target<'a> {
    /// A client may connect elsewhere, as tonic's does, whose requests are known by their content
    /// type. A URI without an authority, such as its `/pkg.Service/Method`, names no destination.
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

impl<'a> From<&'a Url> for Target<'a> {
    /// A client that takes a URL connects by it.
    fn from(url: &'a Url) -> Self {
        let scheme = Scheme::of(url.scheme());
        Self {
            destination: Some(Destination {
                scheme,
                place: Place::Url(url),
            }),
            is_certain: true,
        }
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host(), self.port())
    }
}

/// The origins that may see a token.
///
/// `https` only, loopback excepted; nothing else than what was named, unless
/// [`any_origin`](crate::AuthorizerBuilder::any_origin) was asked for.
#[derive(Clone)]
pub(crate) struct AllowedOrigins {
    named: Box<[Origin]>,
    any: bool,
    http: bool,
}

impl AllowedOrigins {
    pub(crate) fn new(named: Vec<Origin>, any: bool, http: bool) -> Result<Self, Error> {
        let open = |origin: &&Origin| origin.scheme == Scheme::Http && !origin.is_loopback();
        if let Some(origin) = named.iter().find(open).filter(|_| !http) {
            return Err(Error::configuration(format!(
                "origin {origin}: expected https, got http to a host that is not loopback, which \
                 would show the token to the network; allow_http() permits it"
            )));
        }
        if named.is_empty() && !any {
            return Err(Error::configuration(
                "origins: expected at least one such as https://api.example.com that may see the \
                 token, got none",
            ));
        }
        Ok(Self {
            named: named.into(),
            any,
            http,
        })
    }

    pub(crate) fn contains(&self, destination: &Destination<'_>) -> bool {
        self.named.iter().any(|origin| origin.is(destination))
            || self.any
                && match destination.scheme {
                    Scheme::Https => true,
                    Scheme::Http => self.http || is_loopback_name(destination.host()),
                    Scheme::Other => false,
                }
    }
}

impl fmt::Debug for AllowedOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.any {
            f.write_str("any origin")
        } else {
            f.debug_list().entries(&self.named).finish()
        }
    }
}

#[cfg(test)]
mod tests;
