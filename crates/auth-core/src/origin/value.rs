//! The type of an origin.

use std::fmt;

use super::{host::Host, scheme::Scheme};

/// An origin ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)): scheme, host and port.
///
/// The scheme is `http` or `https`. The host is normalized: lower case, IPv6 addresses in their
/// shortest form, and without the dot at the end of a name of several labels. A URL without a port
/// has the scheme's default port. Two origins are therefore equal if and only if their schemes,
/// hosts and ports are.
///
/// Displayed as in RFC 6454 §6.2, without the default port, and parsed from the same form.
///
/// ```
/// use auth_core::Origin;
///
/// let origin: Origin = "https://API.example.com:443".parse()?;
/// assert_eq!(origin.to_string(), "https://api.example.com");
/// assert_eq!(origin.port(), 443);
/// assert_ne!(origin, "https://api.example.com:8443".parse()?);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Origin {
    /// Creates an origin. A `port` of `None` is the scheme's default.
    pub(super) fn new(scheme: Scheme, host: Host<'_>, port: Option<u16>) -> Self {
        Self {
            scheme,
            host: host.normalized(),
            port: port.unwrap_or(scheme.default_port()),
        }
    }

    /// Returns `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme.as_str()
    }

    /// Returns the host: a name, an IPv4 address, or an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn scheme_value(&self) -> Scheme {
        self.scheme
    }

    /// Returns whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
    pub(crate) fn is_loopback(&self) -> bool {
        Host::parse(&self.host).is_ok_and(Host::is_loopback)
    }

    /// Returns host and port, without a default port.
    pub(crate) fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
