//! Finds the echoes of secrets in a text, in the spellings in which a server may repeat them.

use std::collections::HashSet;

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::view::View;
use crate::SecretString;

/// A part of a secret of this many characters is an echo as well.
const PART: usize = 12;

/// A secret below this length, in characters, is an echo only where it stands alone: within a word
/// it is most likely a part of that word. An encoding below this length is not searched for.
const SHORT: usize = 8;

/// A secret below this length is an echo only where it stands alone beside a sign, such as a quote.
/// Between blanks it is most likely a word.
const TINY: usize = 4;

/// The octets of a secret that take part in the search.
const MAX_SECRET: usize = 4096;

/// The texts to find: each secret, and its encodings that hide its characters.
#[derive(Default)]
pub(crate) struct Echoes {
    /// The secrets themselves.
    plain: Needles,
    /// Base64 and hexadecimal. The characters beside an echo may hold further bits of the secret.
    encoded: Needles,
    is_everywhere: bool,
}

#[derive(Default)]
struct Needles {
    /// Texts of less than [`PART`] characters, which are found as a whole.
    whole: Vec<Zeroizing<Vec<char>>>,
    /// The hashes of all parts of the longer texts.
    parts: HashSet<u64>,
}

impl Needles {
    fn add(&mut self, text: &str, fold: fn(char) -> char) {
        let text = Zeroizing::new(text.chars().map(fold).collect::<Vec<_>>());
        if text.len() < PART {
            self.whole.push(text);
        } else {
            self.parts.extend(text.windows(PART).map(hash));
        }
    }

    /// Passes each echo in `text` to `found`, as the index of its first character and its length.
    fn find(&self, text: &[char], mut found: impl FnMut(usize, usize)) {
        for (at, part) in text.windows(PART).enumerate() {
            if self.parts.contains(&hash(part)) {
                found(at, PART);
            }
        }
        for needle in &self.whole {
            for (at, part) in text.windows(needle.len()).enumerate() {
                if *part == **needle {
                    found(at, needle.len());
                }
            }
        }
    }
}

impl Echoes {
    /// Every text counts as an echo.
    pub(crate) fn everywhere() -> Self {
        Self {
            is_everywhere: true,
            ..Self::default()
        }
    }

    pub(crate) fn of(secrets: &[SecretString]) -> Self {
        let mut echoes = Self::default();
        for secret in secrets.iter().map(SecretString::expose) {
            let mut end = secret.len().min(MAX_SECRET);
            while !secret.is_char_boundary(end) {
                end -= 1;
            }
            let secret = &secret[..end];
            if secret.is_empty() {
                continue;
            }
            echoes.plain.add(secret, fold_plain);
            let mut encodings = vec![BASE64_STANDARD_NO_PAD.encode(secret)];
            encodings.extend((0..3).map(|start| base64_within(secret.as_bytes(), start)));
            encodings.extend([
                hex(secret, b"0123456789abcdef"),
                hex(secret, b"0123456789ABCDEF"),
            ]);
            for encoding in encodings.into_iter().map(Zeroizing::new) {
                if encoding.len() >= SHORT {
                    echoes.encoded.add(&encoding, fold_encoded);
                }
            }
        }
        echoes
    }

    /// Returns which characters of `text` are part of an echo.
    pub(super) fn in_text(&self, text: &[char]) -> Vec<bool> {
        let mut is_echo = vec![self.is_everywhere; text.len()];
        if self.is_everywhere {
            return is_echo;
        }
        for view in View::all(text) {
            let plain: Vec<_> = view.chars().map(fold_plain).collect();
            self.plain.find(&plain, |at, len| {
                if len >= SHORT || stands_alone(&plain, at, len) {
                    view.mark(at..at + len, &mut is_echo);
                }
            });
            let encoded: Vec<_> = view.chars().map(fold_encoded).collect();
            self.encoded.find(&encoded, |at, len| {
                let before = encoded[..at].iter().rev().take_while(|c| is_encoding(**c));
                let after = encoded[at + len..].iter().take_while(|c| is_encoding(**c));
                view.mark(at - before.count()..at + len + after.count(), &mut is_echo);
            });
        }
        is_echo
    }
}

/// Without the case of ASCII, and with the space of a form (`+`).
fn fold_plain(c: char) -> char {
    match c {
        ' ' => '+',
        c => c.to_ascii_lowercase(),
    }
}

/// With the alphabet of RFC 4648 §4 for that of §5.
fn fold_encoded(c: char) -> char {
    match c {
        '-' => '+',
        '_' => '/',
        c => c,
    }
}

fn is_encoding(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}

/// Returns whether the short echo is no part of a word.
fn stands_alone(text: &[char], at: usize, len: usize) -> bool {
    let (before, after) = (&text[..at], &text[at + len..]);
    let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || "_-".contains(*c));
    if is_word(before.last()) || is_word(after.first()) {
        return false;
    }
    let is_sign = |c: Option<&char>| {
        c.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace() && !"_-+.,;!?".contains(*c))
    };
    let value_of = before
        .iter()
        .rfind(|c| **c != '+')
        .is_some_and(|c| "=:".contains(*c));
    let is_all = before.is_empty() && after.is_empty();
    len >= TINY || is_all || value_of || is_sign(before.last()) || is_sign(after.first())
}

/// Returns the characters that `octets` always have in base64, if they begin `start` octets after
/// a group of three. Those at the ends depend on the octets beside them.
fn base64_within(octets: &[u8], start: usize) -> String {
    let padded = Zeroizing::new([&[0; 2][..start], octets].concat());
    let encoded = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(&*padded));
    let first = (8 * start).div_ceil(6);
    let end = 8 * padded.len() / 6;
    encoded.get(first..end).unwrap_or_default().to_owned()
}

fn hex(text: &str, digits: &[u8; 16]) -> String {
    let digit = |half: u8| char::from(digits[usize::from(half)]);
    text.bytes()
        .flat_map(|octet| [digit(octet >> 4), digit(octet & 15)])
        .collect()
}

/// FNV-1a over characters. Equal texts have equal hashes; others practically never have.
fn hash(text: &[char]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, c| {
        (hash ^ u64::from(u32::from(*c))).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    #[test]
    fn base64_within_a_longer_text_is_found_at_each_alignment() {
        for start in 0..3 {
            let core = base64_within(b"s3cr3t/of+it", start);
            for after in ["", "x", "xy"] {
                let text = format!(
                    "{}s3cr3t/of+it{after}",
                    "abcdefgh".repeat(3).split_at(6 + start).0
                );
                let text = BASE64_STANDARD.encode(text);
                assert!(core.len() >= 14 && text.contains(&core), "{core} in {text}");
            }
        }
    }
}
