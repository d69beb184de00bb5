//! A text as it reads after one or more kinds of escapes have been decoded.

use std::{iter, ops::Range};

use crate::visible_text::is_invisible;

/// The times that a text is decoded: an escape may have been escaped itself.
const MAX_PASSES: usize = 3;

/// Decodes the escape at the beginning of a text. Returns the character, and the escape's length.
type Decode = fn(&[char]) -> Option<(char, usize)>;

/// A text, and for each character the place in the original text that it was decoded from.
#[derive(Clone)]
pub(super) struct View {
    chars: Vec<char>,
    places: Vec<Range<usize>>,
}

impl View {
    /// Returns `text` itself, and what it reads by each kind of escapes and by all kinds at once.
    pub(super) fn all(text: &[char]) -> Vec<Self> {
        let raw = Self {
            chars: text.to_vec(),
            places: (0..text.len()).map(|at| at..at + 1).collect(),
        };
        let mut views = vec![raw.clone()];
        for decode in [percent as Decode, backslash, html, any] {
            let decoded = iter::successors(raw.decoded(decode), |view| view.decoded(decode));
            views.extend(decoded.take(MAX_PASSES));
        }
        views
    }

    pub(super) fn chars(&self) -> impl Iterator<Item = char> {
        self.chars.iter().copied()
    }

    /// Marks the characters of the original text that these characters were decoded from.
    pub(super) fn mark(&self, chars: Range<usize>, marks: &mut [bool]) {
        for place in self.places.get(chars).unwrap_or_default() {
            if let Some(marks) = marks.get_mut(place.clone()) {
                marks.fill(true);
            }
        }
    }

    /// Decodes each escape once. `None` if there is none.
    fn decoded(&self, decode: Decode) -> Option<Self> {
        let mut decoded = Self {
            chars: Vec::with_capacity(self.chars.len()),
            places: Vec::with_capacity(self.chars.len()),
        };
        let (mut at, mut any) = (0, false);
        while let Some(first) = self.chars.get(at) {
            let escape = decode(&self.chars[at..]);
            any |= escape.is_some();
            let (c, len) = escape.unwrap_or((*first, 1));
            let place = self.places[at].start..self.places[at + len - 1].end;
            // an escaped invisible character would hide an echo
            if !is_invisible(c) {
                decoded.chars.push(c);
                decoded.places.push(place);
            }
            at += len;
        }
        any.then_some(decoded)
    }
}

fn any(text: &[char]) -> Option<(char, usize)> {
    percent(text)
        .or_else(|| backslash(text))
        .or_else(|| html(text))
}

/// `%2F`, in either case, and `%u002F`.
fn percent(text: &[char]) -> Option<(char, usize)> {
    let rest = text.strip_prefix(&['%'])?;
    if let Some(digits) = rest.strip_prefix(&['u']) {
        return Some((char::from_u32(number(digits.get(..4)?, 16)?)?, 6));
    }
    octets(text, &['%'])
}

/// Escapes of JSON, JavaScript, Rust and Python: `\/`, `\"`, `\u002f`, `\u{2f}`, `\x2f`.
fn backslash(text: &[char]) -> Option<(char, usize)> {
    let rest = text.strip_prefix(&['\\'])?;
    match rest.first()? {
        'u' if rest.get(1) == Some(&'{') => {
            let len = rest.iter().take(10).position(|c| *c == '}')?;
            let c = char::from_u32(number(&rest[2..len], 16)?)?;
            Some((c, len + 2))
        }
        'u' => {
            let unit = |escape: &[char]| match escape {
                ['\\', 'u', digits @ ..] => number(digits.get(..4)?, 16),
                _ => None,
            };
            let first = unit(text)?;
            if let Some(c) = char::from_u32(first) {
                return Some((c, 6));
            }
            let second = unit(text.get(6..)?)?;
            let units = [first as u16, second as u16];
            let c = char::decode_utf16(units).next()?.ok()?;
            Some((c, 12))
        }
        'U' => Some((char::from_u32(number(rest.get(1..9)?, 16)?)?, 10)),
        'x' => octets(text, &['\\', 'x']),
        c if c.is_alphanumeric() => None,
        c => Some((*c, 2)),
    }
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn html(text: &[char]) -> Option<(char, usize)> {
    let rest = text.strip_prefix(&['&'])?;
    let len = rest.iter().take(12).position(|c| *c == ';')?;
    let c = match &rest[..len] {
        ['#', 'x' | 'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        ['#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        name => {
            let name: String = name.iter().collect();
            NAMED.iter().find(|(_, named)| *named == name)?.0
        }
    };
    Some((c, len + 2))
}

/// The references to characters of ASCII, <https://html.spec.whatwg.org/multipage/named-characters.html>.
const NAMED: &[(char, &str)] = &[
    ('&', "amp"),
    ('<', "lt"),
    ('>', "gt"),
    ('"', "quot"),
    ('\'', "apos"),
    ('&', "AMP"),
    ('<', "LT"),
    ('>', "GT"),
    ('"', "QUOT"),
    (' ', "nbsp"),
    ('!', "excl"),
    ('#', "num"),
    ('$', "dollar"),
    ('%', "percnt"),
    ('(', "lpar"),
    (')', "rpar"),
    ('*', "ast"),
    ('+', "plus"),
    (',', "comma"),
    ('.', "period"),
    ('/', "sol"),
    (':', "colon"),
    (';', "semi"),
    ('=', "equals"),
    ('?', "quest"),
    ('@', "commat"),
    ('[', "lsqb"),
    ('[', "lbrack"),
    ('\\', "bsol"),
    (']', "rsqb"),
    (']', "rbrack"),
    ('^', "Hat"),
    ('_', "lowbar"),
    ('`', "grave"),
    ('{', "lcub"),
    ('{', "lbrace"),
    ('|', "verbar"),
    ('|', "vert"),
    ('}', "rcub"),
    ('}', "rbrace"),
];

/// Reads one character of UTF-8 whose octets are written as `prefix` and two digits each. An octet
/// that begins no such character is read as Latin-1.
fn octets(text: &[char], prefix: &[char]) -> Option<(char, usize)> {
    let width = prefix.len() + 2;
    let octet = |escape: &[char]| {
        let digits = escape.strip_prefix(prefix)?.get(..2)?;
        number(digits, 16).map(|number| number as u8)
    };
    let read: Vec<_> = text.chunks(width).map_while(octet).take(4).collect();
    let first = *read.first()?;
    let whole = (1..=read.len()).find_map(|len| {
        let c = std::str::from_utf8(&read[..len]).ok()?.chars().next()?;
        Some((c, len * width))
    });
    whole.or(Some((char::from(first), width)))
}

fn number(digits: &[char], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        number
            .checked_mul(radix)?
            .checked_add(digit.to_digit(radix)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(decode: Decode, text: &str) -> String {
        let chars: Vec<_> = text.chars().collect();
        let raw = &View::all(&chars)[0];
        raw.decoded(decode)
            .unwrap_or_else(|| raw.clone())
            .chars()
            .collect()
    }

    #[test]
    fn each_kind_of_escape_is_decoded_once() {
        assert_eq!(
            decoded(percent, "%2f%2F%C3%A9%e9%u002f%252F%zz%"),
            "//éé/%2F%zz%"
        );
        let text = r#"\/\"\\n\u002f\uD83D\uDD11\u{2f}\x2f\xc3\xa9\ud83d\n\"#;
        assert_eq!(decoded(backslash, text), "/\"\\n/🔑//é\\ud83d\\n\\");
        let text = "&amp;&#38;&#x26;&#X00026;&lt;&sol;&amp;amp;&unknown;&;&#;&";
        assert_eq!(decoded(html, text), "&&&&</&amp;&unknown;&;&#;&");
        assert_eq!(decoded(any, "%2F\\/&sol;"), "///");
    }

    #[test]
    fn a_mark_covers_the_whole_escape() {
        let text: Vec<_> = "a%252Fb".chars().collect();
        let views = View::all(&text);
        let last = views.iter().find(|view| view.chars().eq("a/b".chars()));
        let mut marks = vec![false; text.len()];
        last.unwrap().mark(1..2, &mut marks);
        assert_eq!(marks, [false, true, true, true, true, true, false]);
    }
}
