//! The schemes of origins.

/// The scheme of an origin or of a request's URI.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Scheme {
    Https,
    Http,
    /// Never allowed.
    Other,
}

impl Scheme {
    pub(super) fn of(text: &str) -> Self {
        if text.eq_ignore_ascii_case("https") {
            Self::Https
        } else if text.eq_ignore_ascii_case("http") {
            Self::Http
        } else {
            Self::Other
        }
    }

    pub(super) fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
            Self::Other => 0,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Other => "other",
        }
    }
}
