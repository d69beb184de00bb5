//! The challenges of a `WWW-Authenticate` header (RFC 9110 §11), and their parameters.
//!
//! This crate has a parser of its own because neither library that was tried parses the headers
//! that servers send. http-auth 0.1.10 (2024) rejects token68, a second space after the scheme and
//! non-ASCII text. http-auth and parse-net 0.8 return nothing for
//! `Bearer error="insufficient_scope", error_uri=https://a`, whose last value is wrongly unquoted.
//! parse-net also drops the whole line for a comma after the scheme or a repeated parameter.
//!
//! The headers come from the API and are untrusted, so the time to parse one is linear in its
//! length: nothing is copied or allocated, and no octet is read more than twice.

use std::{iter, mem};

/// A parameter's value, without its quotes but with its escapes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// Returns the octets, unescaped: of a quoted-pair (RFC 9110 §5.6.4) only the octet after the
    /// backslash is returned.
    pub(crate) fn octets(self) -> impl Iterator<Item = u8> + use<'a> {
        let mut octets = self.0.iter().copied();
        iter::from_fn(move || match octets.next()? {
            b'\\' => octets.next(),
            octet => Some(octet),
        })
    }

    /// Returns whether the octets are those of `text`. Case matters.
    pub(crate) fn is(self, text: &str) -> bool {
        self.octets().eq(text.bytes())
    }
}

/// A part of a field line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    /// A scheme, which begins a challenge.
    Scheme(&'a [u8]),
    /// A parameter of the last challenge, with its name as written. The challenge may have begun in
    /// an earlier line.
    Parameter(&'a [u8], Value<'a>),
    /// Its value is not used.
    Token68,
    /// The rest of the line, which is malformed.
    Malformed,
}

/// The parts of one field line. The first malformed part is the last one.
#[derive(Clone, Debug)]
pub(crate) struct Parts<'a> {
    rest: &'a [u8],
    /// Whether a scheme was read, and more text follows before the next comma.
    after_scheme: bool,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Self {
        Self {
            rest: line,
            after_scheme: false,
        }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let part = if mem::take(&mut self.after_scheme) {
            self.auth_param_or_token68()
        } else {
            self.take_while(|octet| is_space(octet) || octet == b',');
            if self.rest.is_empty() {
                return None;
            }
            self.element()
        };
        Some(part.unwrap_or_else(|| {
            self.rest = &[];
            Part::Malformed
        }))
    }
}

impl<'a> Parts<'a> {
    /// Reads the next element of the list. The same commas separate challenges and parameters: a
    /// name before `=` is a parameter, any other begins a challenge.
    fn element(&mut self) -> Option<Part<'a>> {
        let name = self.token()?;
        let gap = self.take_while(is_space);
        match self.rest.first() {
            None | Some(b',') => Some(Part::Scheme(name)),
            Some(b'=') => Some(Part::Parameter(name, self.value()?)),
            Some(_) if gap.is_empty() => None,
            Some(_) => {
                self.after_scheme = true;
                Some(Part::Scheme(name))
            }
        }
    }

    /// Reads the first parameter after a scheme, or a token68 (`a=` is one, `a=b` is not).
    fn auth_param_or_token68(&mut self) -> Option<Part<'a>> {
        let begin = self.rest;
        if let Some((name, value)) = self.parameter() {
            return Some(Part::Parameter(name, value));
        }
        self.rest = begin;
        self.take_while1(|octet| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet))?;
        self.take_while(|octet| octet == b'=');
        self.end_of_element()?;
        Some(Part::Token68)
    }

    fn parameter(&mut self) -> Option<(&'a [u8], Value<'a>)> {
        let name = self.token()?;
        self.take_while(is_space);
        Some((name, self.value()?))
    }

    /// Reads a value, from the `=` on.
    fn value(&mut self) -> Option<Value<'a>> {
        self.take(b'=')?;
        self.take_while(is_space);
        let value = match self.take(b'"') {
            Some(()) => self.quoted()?,
            None => self.token()?,
        };
        self.end_of_element()?;
        Some(Value(value))
    }

    /// Reads a quoted string, from after the opening quote on.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let mut escaped = false;
        let text = self.take_while(|octet| {
            let is_text = escaped || octet != b'"';
            escaped = !escaped && octet == b'\\';
            is_text
        });
        self.take(b'"')?;
        Some(text)
    }

    fn end_of_element(&mut self) -> Option<()> {
        self.take_while(is_space);
        matches!(self.rest.first(), None | Some(b',')).then_some(())
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        self.take_while1(|octet| {
            octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
        })
    }

    fn take(&mut self, octet: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[octet])?;
        Some(())
    }

    /// Reads the octets that fit, at least one.
    fn take_while1(&mut self, fits: impl FnMut(u8) -> bool) -> Option<&'a [u8]> {
        Some(self.take_while(fits)).filter(|octets| !octets.is_empty())
    }

    /// Reads the octets that fit, up to the first that does not.
    fn take_while(&mut self, mut fits: impl FnMut(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&octet| !fits(octet));
        let (octets, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        #[cfg(test)]
        super::properties::count(octets.len());
        self.rest = rest;
        octets
    }
}

fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

#[cfg(test)]
mod tests;
