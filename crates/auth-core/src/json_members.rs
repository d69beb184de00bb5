//! Reads the members of a JSON object one by one, as they are needed.
//!
//! A JSON parser accepts a text as a whole or not at all. Here a value that is not asked for is only
//! skipped: its type, its numbers and the octets of its texts do not matter. No value is copied
//! before it is asked for, and a copied text is wiped when dropped.

use std::borrow::Cow;

use zeroize::Zeroizing;

mod syntax;

pub(crate) use syntax::is_json;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The members of a JSON object. If a name occurs several times, its last value counts.
pub(crate) struct Members<'a> {
    members: Vec<(&'a [u8], Value<'a>)>,
    is_complete: bool,
    octets: &'a [u8],
}

/// The octets of one value, unread.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a>(&'a [u8]);

impl<'a> Members<'a> {
    /// Reads as many members as there are before the first fault. Skips byte order marks. Of a list
    /// it reads the first object.
    pub(crate) fn read(text: &'a [u8]) -> Self {
        let mut scanner = Scanner { rest: text };
        scanner.skip_byte_order_marks();
        let is_list = scanner.take(b'[').is_some();
        let mut members = Vec::new();
        let is_object = scanner.object(&mut members).is_some();
        scanner.skip_blanks();
        Self {
            members,
            is_complete: is_object && !is_list && scanner.rest.is_empty(),
            octets: text,
        }
    }

    /// Returns the octets that were read.
    pub(crate) fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Returns whether the text is one JSON object, and nothing else.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns whether members may be hidden: behind a fault, or within what was read as one value.
    pub(crate) fn is_broken(&self) -> bool {
        !self.is_complete || !self.members.iter().all(|(_, value)| value.is_single())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the last value of the member `name`. A member that is null is treated as absent.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'a>> {
        let value = self.all(name).last()?;
        (!value.is_null()).then_some(value)
    }

    /// Returns every value of the member `name`.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = Value<'a>> {
        self.members
            .iter()
            .filter(move |(found, _)| *decoded(found) == *name)
            .map(|(_, value)| *value)
    }

    /// Returns every value of the members whose names differ from `name` only in case, underscores
    /// and hyphens.
    pub(crate) fn all_like(&self, name: &str) -> impl Iterator<Item = Value<'a>> {
        self.members
            .iter()
            .filter(move |(found, _)| is_like(found, name))
            .map(|(_, value)| *value)
    }
}

/// Returns whether a member's name differs from `name` only in case, underscores and hyphens.
pub(crate) fn is_like(found: &[u8], name: &str) -> bool {
    let found = decoded(found);
    let letters = found.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.map(|c| c.to_ascii_lowercase()).eq(name.chars())
}

/// Returns the text of a member's name.
fn decoded(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(name) if !name.contains('\\') => Cow::Borrowed(name),
        _ => Cow::Owned(unescaped(name).to_string()),
    }
}

impl<'a> Value<'a> {
    fn is_null(self) -> bool {
        self.0 == b"null"
    }

    /// Returns whether this is one text, object, list or word, and nothing beside it.
    fn is_single(self) -> bool {
        match self.0.first() {
            Some(b'"') => self.text().is_some(),
            Some(b'{') => self.object().is_some_and(|object| object.is_complete),
            Some(b'[') => self.list().is_some(),
            _ => {
                let in_word = |octet: &u8| octet.is_ascii_alphanumeric() || b"+-.".contains(octet);
                self.0.iter().all(in_word)
            }
        }
    }

    /// Returns the text, if the value is one. Octets and escapes that are no text become U+FFFD.
    pub(crate) fn text(self) -> Option<Zeroizing<String>> {
        let mut scanner = Scanner { rest: self.0 };
        let text = scanner.string()?;
        scanner.rest.is_empty().then(|| unescaped(text))
    }

    /// Returns the members, if the value is an object.
    pub(crate) fn object(self) -> Option<Members<'a>> {
        self.0.starts_with(b"{").then(|| Members::read(self.0))
    }

    /// Returns the elements, if the value is a list.
    pub(crate) fn list(self) -> Option<Vec<Value<'a>>> {
        let mut scanner = Scanner { rest: self.0 };
        scanner.take(b'[')?;
        let mut elements = Vec::new();
        if scanner.take(b']').is_some() {
            return scanner.rest.is_empty().then_some(elements);
        }
        loop {
            elements.push(scanner.value());
            if scanner.take(b',').is_none() {
                scanner.take(b']')?;
                return scanner.rest.is_empty().then_some(elements);
            }
        }
    }

    /// Returns the list as it stands in the text, if the value is one and valid.
    pub(crate) fn list_text(self) -> Option<&'a str> {
        let text = std::str::from_utf8(self.0).ok()?;
        (text.starts_with('[') && is_json(text)).then_some(text)
    }

    /// Returns the size of the value in the text, in bytes.
    pub(crate) fn size(self) -> usize {
        self.0.len()
    }

    /// Returns the number, if the value is one or, as some servers write it, a text with one.
    pub(crate) fn number(self) -> Option<f64> {
        let parse = |text: &str| text.trim().parse().ok();
        match self.text() {
            Some(text) => parse(&text),
            None => parse(std::str::from_utf8(self.0).ok()?),
        }
    }

    /// Returns whether the value says something: no blank text, `false`, zero, `{}` or `[]`.
    pub(crate) fn is_meaningful(self) -> bool {
        if let Some(text) = self.text() {
            return !text.trim().is_empty();
        }
        if let Some(number) = self.number() {
            return number != 0.0;
        }
        let empty = |octet: &u8| octet.is_ascii_whitespace() || b"{}[]".contains(octet);
        self.0 != b"false" && !self.is_null() && !self.0.iter().all(empty)
    }

    /// Returns whether the value is a text or an object, or a list that begins with one.
    pub(crate) fn is_text_or_object(self) -> bool {
        let first = self.list().and_then(|list| list.first().copied());
        matches!(first.unwrap_or(self).0.first(), Some(b'"' | b'{'))
    }

    /// Returns the value's type, for error texts that must not show the value.
    pub(crate) fn shape(self) -> &'static str {
        match self.0.first() {
            Some(b'"') => "another text",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b't' | b'f') => "a boolean",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ if self.is_null() => "null",
            _ => "an unreadable value",
        }
    }
}

/// Finds where names and values end. It does not recurse.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    fn skip_blanks(&mut self) {
        let blank = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\n' | b'\r');
        let blanks = self.rest.iter().take_while(|octet| blank(octet)).count();
        self.rest = &self.rest[blanks..];
    }

    /// Skips byte order marks, and the blanks around them.
    fn skip_byte_order_marks(&mut self) {
        self.skip_blanks();
        while let Some(rest) = self.rest.strip_prefix(BYTE_ORDER_MARK) {
            self.rest = rest;
            self.skip_blanks();
        }
    }

    /// Takes `octet` and the blanks around it.
    fn take(&mut self, octet: u8) -> Option<()> {
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(&[octet])?;
        self.skip_blanks();
        Some(())
    }

    /// Takes an object. Returns `None` at the first fault.
    fn object(&mut self, members: &mut Vec<(&'a [u8], Value<'a>)>) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.string()?;
            self.take(b':')?;
            members.push((name, self.value()));
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    /// Takes a text, and returns the octets between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.strip_prefix(b"\"")?;
        let mut octets = text.iter().enumerate();
        while let Some((at, octet)) = octets.next() {
            match octet {
                b'"' => {
                    self.rest = &text[at + 1..];
                    return Some(&text[..at]);
                }
                b'\\' => {
                    octets.next();
                }
                _ => {}
            }
        }
        None
    }

    /// Takes everything up to the next comma or closing bracket of the same level.
    fn value(&mut self) -> Value<'a> {
        let start = self.rest;
        let mut level = 0_usize;
        while let Some(octet) = self.rest.first() {
            match octet {
                b'"' => {
                    if self.string().is_none() {
                        self.rest = &[];
                    }
                    continue;
                }
                b'{' | b'[' => level += 1,
                b',' | b'}' | b']' if level == 0 => break,
                b'}' | b']' => level -= 1,
                _ => {}
            }
            self.rest = &self.rest[1..];
        }
        Value(start[..start.len() - self.rest.len()].trim_ascii_end())
    }
}

/// Returns the text of the octets between two quotes. It is allocated once: growing would leave
/// unwiped copies behind.
fn unescaped(octets: &[u8]) -> Zeroizing<String> {
    // one octet becomes at most U+FFFD, which has three
    let mut text = Zeroizing::new(String::with_capacity(3 * octets.len()));
    let mut rest = octets;
    while let Some(at) = rest.iter().position(|octet| *octet == b'\\') {
        push_lossy(&mut text, &rest[..at]);
        rest = &rest[at + 1..];
        let (c, length) = escape(rest).unwrap_or((char::REPLACEMENT_CHARACTER, 0));
        text.push(c);
        rest = &rest[length..];
    }
    push_lossy(&mut text, rest);
    text
}

fn push_lossy(text: &mut String, octets: &[u8]) {
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// Returns the character of the escape whose backslash precedes `octets`, and its length.
fn escape(octets: &[u8]) -> Option<(char, usize)> {
    let c = match octets.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = unit(octets)?;
            let second = octets[5..].strip_prefix(b"\\").and_then(unit);
            let units = [first, second.unwrap_or_default()];
            return Some(match char::decode_utf16(units).next()? {
                Ok(c) => (c, 5 + 6 * usize::from(c.len_utf16() == 2)),
                Err(_lone) => (char::REPLACEMENT_CHARACTER, 5),
            });
        }
        _ => return None,
    };
    Some((c, 1))
}

/// Returns the number of `uXXXX`.
fn unit(octets: &[u8]) -> Option<u16> {
    let digits = octets.strip_prefix(b"u")?.get(..4)?;
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests;
