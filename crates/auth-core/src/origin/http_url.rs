//! `http` and `https` URLs, read strictly: a URL that only a lenient parser would complete is a
//! fault.

use super::{fault::Fault, host::Host, scheme::Scheme, value::Origin};
use crate::uri_syntax::split_scheme;

/// An `http` or `https` URL. Its scheme, host and port are checked; the characters of its path and
/// query are not.
#[derive(Clone, Debug)]
pub(crate) struct HttpUrl<'a> {
    pub(crate) origin: Origin,
    /// Whether the host is a name that ends with a dot, which its origin lacks.
    has_final_dot: bool,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) has_fragment: bool,
}

impl<'a> HttpUrl<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Fault> {
        if before_path(text).contains(|c: char| c == ' ' || c.is_control()) {
            return Err(Fault::Blank);
        }
        let (scheme_text, rest) = split_scheme(text).ok_or(Fault::NoScheme)?;
        let scheme = Scheme::of(scheme_text);
        let rest = match (rest.strip_prefix("//"), scheme) {
            (Some(_), Scheme::Other) => return Err(Fault::Scheme(scheme_text.to_owned())),
            (None, Scheme::Other) => {
                return Err(Fault::SchemeWithoutHost(scheme_text.to_owned()));
            }
            (None, _) => return Err(Fault::NoSlashes),
            (Some(rest), _) => rest,
        };
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(Fault::Credentials);
        }
        let (host, port) = split_port(authority)?;
        let origin = Origin::new(scheme, Host::parse(host)?, port);
        let has_final_dot = host.ends_with('.') && !origin.host().ends_with('.');
        let (rest, has_fragment) = match rest.split_once('#') {
            Some((rest, _)) => (rest, true),
            None => (rest, false),
        };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Ok(Self {
            origin,
            has_final_dot,
            path,
            query,
            has_fragment,
        })
    }

    /// Returns scheme, host and port as a client should connect by them: normalized like the
    /// origin, but with the final dot that keeps a resolver from trying its search list.
    pub(crate) fn base(&self) -> String {
        let origin = self.origin.to_string();
        if !self.has_final_dot {
            return origin;
        }
        let host_end = self.origin.scheme().len() + "://".len() + self.origin.host().len();
        format!("{}.{}", &origin[..host_end], &origin[host_end..])
    }
}

/// Returns scheme and authority of a URL.
fn before_path(url: &str) -> &str {
    let authority = url.find("://").map_or(url.len(), |colon| colon + 3);
    let length = url[authority..].find(['/', '?', '#']);
    &url[..length.map_or(url.len(), |length| authority + length)]
}

/// Splits an authority without user information. No port, and an empty one, is the scheme's default
/// (RFC 3986 §6.2.3).
pub(super) fn split_port(authority: &str) -> Result<(&str, Option<u16>), Fault> {
    let host_end = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_end);
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return Err(Fault::HostCharacter(']')),
        Some("") => None,
        // parse() alone would accept "+443"
        Some(digits) if digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            let port = digits.parse().ok().filter(|port| *port != 0);
            Some(port.ok_or(Fault::Port)?)
        }
        Some(_) => return Err(Fault::Port),
    };
    Ok((host, port))
}
