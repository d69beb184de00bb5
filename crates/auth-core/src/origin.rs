//! Who may see a token: origins, and whether a request goes to one of them.

use std::{fmt, net::IpAddr};

use http::Uri;
use url::{Host, Url};

use crate::Error;

/// Scheme, host and port, normalized: lower case, IDNA, the scheme's default port filled in.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(crate) struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// An origin as people write one: `https://api.example.com`, with or without a `/`.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            Error::configuration(format!(
                "origin {text:?}: expected one such as https://api.example.com, got {what}"
            ))
        };
        let url = Url::parse(text).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => wrong("one without a scheme"),
            e => wrong("one that cannot be read").with_source(e),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::configuration(
                "origin: expected one such as https://api.example.com, got one with credentials in it",
            ));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("more than scheme, host and port"));
        }
        match (url.scheme(), url.host_str(), url.port_or_known_default()) {
            ("https" | "http", Some(host), Some(port)) => Ok(Self {
                https: url.scheme() == "https",
                host: host.to_owned(),
                port,
            }),
            ("https" | "http", ..) => Err(wrong("one without a host")),
            (scheme, ..) => Err(wrong(&format!("the scheme {scheme}"))),
        }
    }

    fn is_loopback(&self) -> bool {
        is_loopback_name(&self.host)
    }

    fn is(&self, destination: &Destination<'_>) -> bool {
        self.port == destination.port
            && self.https == destination.https
            && self.host.eq_ignore_ascii_case(destination.host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
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
pub struct Target<'a>(pub(crate) Option<Destination<'a>>);

/// A scheme, a host and a port that a URI names.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Destination<'a> {
    https: bool,
    host: &'a str,
    port: u16,
}

impl<'a> From<&'a Uri> for Target<'a> {
    /// A URI without an authority, such as tonic's `/pkg.Service/Method`, names no destination.
    fn from(uri: &'a Uri) -> Self {
        let known = |scheme: &str| match scheme {
            "https" => Some((true, 443)),
            "http" => Some((false, 80)),
            _ => None,
        };
        Self(uri.authority().map(|authority| {
            // an authority without a scheme, or under another one, is on no list
            let (https, default) = uri.scheme_str().and_then(known).unwrap_or((false, 0));
            Destination {
                https,
                host: authority.host(),
                port: authority.port_u16().unwrap_or(default),
            }
        }))
    }
}

impl<'a> From<&'a Url> for Target<'a> {
    fn from(url: &'a Url) -> Self {
        Self(Some(Destination {
            https: url.scheme() == "https",
            host: url.host_str().unwrap_or_default(),
            port: match url.scheme() {
                "https" | "http" => url.port_or_known_default().unwrap_or_default(),
                _ => 0,
            },
        }))
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
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
    pub(crate) fn new(named: &[String], any: bool, http: bool) -> Result<Self, Error> {
        let named = named
            .iter()
            .map(|text| {
                let origin = Origin::parse(text)?;
                if origin.https || http || origin.is_loopback() {
                    return Ok(origin);
                }
                Err(Error::configuration(format!(
                    "origin {text:?}: expected https, got http to a host that is not loopback, \
                     which would show the token to the network; allow_http() permits it"
                )))
            })
            .collect::<Result<Box<[_]>, _>>()?;
        if named.is_empty() && !any {
            return Err(Error::configuration(
                "origins: expected at least one such as https://api.example.com that may see the \
                 token, got none",
            ));
        }
        Ok(Self { named, any, http })
    }

    pub(crate) fn contains(&self, destination: &Destination<'_>) -> bool {
        if self.named.iter().any(|origin| origin.is(destination)) {
            return true;
        }
        self.any
            && destination.port != 0
            && (destination.https || self.http || is_loopback_name(destination.host))
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
