//! Hosts: names and addresses, each in the one form in which it is compared.

use std::{
    borrow::Cow,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{fault::Fault, ipv4::is_number};

/// A name or an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Host<'a> {
    Name(&'a str),
    Ipv4(Ipv4Addr),
    Ipv6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Parses a host of a URI: a name of letters, digits, `-`, `_` and dots, an
    /// IPv4 address of four decimal numbers, or an IPv6 address in brackets.
    ///
    /// Other forms of IPv4 addresses, such as `0x7f.1`, are faults: to some clients they are
    /// addresses, to others names.
    pub(super) fn parse(host: &'a str) -> Result<Self, Fault> {
        if let Some(bracketed) = host.strip_prefix('[') {
            let address = bracketed.strip_suffix(']').and_then(|ip| ip.parse().ok());
            return address.map(Self::Ipv6).ok_or(Fault::Ipv6);
        }
        if host.is_empty() {
            return Err(Fault::NoHost);
        }
        let is_invalid = |c: &char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.');
        match host.chars().find(is_invalid) {
            None => {}
            Some('*') => return Err(Fault::Wildcard),
            Some('%') => return Err(Fault::PercentInHost),
            Some(c) if !c.is_ascii() => return Err(Fault::NotAscii),
            Some(c) => return Err(Fault::HostCharacter(c)),
        }
        let labels = host.strip_suffix('.').unwrap_or(host);
        if labels.split('.').any(str::is_empty) {
            return Err(Fault::EmptyLabel);
        }
        if labels.rsplit('.').next().is_some_and(is_number) {
            return host.parse().map(Self::Ipv4).map_err(|_| Fault::Ipv4);
        }
        Ok(Self::Name(host))
    }

    /// Returns whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
    pub(super) fn is_loopback(self) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case("localhost"),
            Self::Ipv4(ip) => ip.is_loopback(),
            Self::Ipv6(ip) => ip.is_loopback(),
        }
    }

    /// Returns whether both are spellings of one host.
    pub(super) fn is_same(self, other: Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(one), Host::Name(other)) => {
                without_final_dot(one).eq_ignore_ascii_case(without_final_dot(other))
            }
            _ => self == other,
        }
    }

    /// Returns the normalized form: lower case, without a final dot; IPv6 as in RFC 5952, in
    /// brackets.
    pub(super) fn normalized(self) -> String {
        match self {
            Self::Name(name) => without_final_dot(name).to_ascii_lowercase(),
            Self::Ipv4(ip) => ip.to_string(),
            Self::Ipv6(ip) => format!("[{ip}]"),
        }
    }
}

/// Returns whether `written` is the host whose normalized form is `normalized`.
pub(super) fn is_same(normalized: &str, written: &str) -> bool {
    // most names are written like this, and equal texts are found faster than texts in another case
    normalized == written
        || normalized.eq_ignore_ascii_case(written)
        || is_same_when_parsed(normalized, written)
}

fn is_same_when_parsed(normalized: &str, written: &str) -> bool {
    // no other host has several forms
    if !written.ends_with(['.', ']']) {
        return false;
    }
    match (Host::parse(normalized), Host::parse(written)) {
        (Ok(normalized), Ok(written)) => normalized.is_same(written),
        _ => false,
    }
}

/// Returns the normalized form of a host. A malformed host, which belongs to no origin, is returned as
/// written. Allocates only if the host is written in another way.
pub(super) fn normalized(written: &str) -> Cow<'_, str> {
    let may_differ = |byte: u8| byte.is_ascii_uppercase() || byte == b'[';
    if !written.ends_with('.') && !written.bytes().any(may_differ) {
        return Cow::Borrowed(written);
    }
    match Host::parse(written) {
        Ok(host) => Cow::Owned(host.normalized()),
        Err(_) => Cow::Borrowed(written),
    }
}

/// Removes a final dot from a name of several labels.
///
/// The dot makes the name absolute. A resolver reads a single label differently with it: its search
/// list, and its file of hosts, then do not apply.
pub(super) fn without_final_dot(name: &str) -> &str {
    match name.strip_suffix('.') {
        Some(labels) if labels.contains('.') => labels,
        _ => name,
    }
}
