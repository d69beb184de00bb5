//! The faults of URLs.

use std::fmt;

/// The fault of a URL, displayed as the end of "expected …, got …". Quotes no more of the URL than
/// its scheme and one character: the rest may be a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    NoScheme,
    Scheme(String),
    SchemeWithoutHost(String),
    NoSlashes,
    Credentials,
    NoHost,
    NotAscii,
    Wildcard,
    PercentInHost,
    HostCharacter(char),
    EmptyLabel,
    Ipv4,
    Ipv6,
    Port,
    Blank,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoScheme => "one without a scheme",
            Self::Scheme(scheme) => return write!(f, "the scheme {scheme}"),
            Self::SchemeWithoutHost(scheme) => {
                return write!(f, "the scheme {scheme}, without a host");
            }
            Self::NoSlashes => "one without // after its scheme",
            Self::Credentials => "one with credentials in it",
            Self::NoHost => "one that cannot be read: its host is empty",
            Self::NotAscii => "a host that is not ASCII: write it in its punycode form (xn--…)",
            Self::Wildcard => "a wildcard",
            Self::PercentInHost => "a host with a percent-encoded character: write it out",
            Self::HostCharacter(c) => {
                return write!(f, "a host with the character {c:?}, which no host name has");
            }
            Self::EmptyLabel => "a host with two dots in a row, or with a dot at its start",
            Self::Ipv4 => {
                "a host that ends in a number and is not an IPv4 address of four decimal numbers"
            }
            Self::Ipv6 => "a host in brackets that is not an IPv6 address",
            Self::Port => "a port that is not a number from 1 to 65535",
            Self::Blank => "one with a space or a control character before its path",
        })
    }
}
