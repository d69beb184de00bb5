//! Properties of every header, and of every list of challenges in any spelling.

use std::cell::Cell;

use fastrand::Rng;
use http::HeaderValue;
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

thread_local! {
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// Counts octets that the parser read.
pub(super) fn count(octets: usize) {
    READ.set(READ.get() + octets);
}

/// Reads a whole line, and returns the number of octets of its schemes and parameters.
fn exhaust(line: &[u8]) -> usize {
    let sizes = Challenges::new(line).map(|challenge| {
        let parameters = challenge.parameters();
        let sizes = parameters.map(|(name, value)| name.len() + value.octets().count());
        challenge.scheme.len() + sizes.sum::<usize>()
    });
    sizes.sum()
}

/// Asserts that no octet is read more than four times: at most twice where a parameter turns out to
/// be a token68, by the search for challenges and by the search for parameters.
fn assert_linear(line: &[u8]) {
    READ.set(0);
    let found = exhaust(line);
    assert!(found <= line.len());
    assert!(READ.get() <= 4 * line.len(), "{} reads", READ.get());
}

#[derive(Clone, Debug)]
enum Arguments {
    Token68(String),
    Parameters(Vec<(String, Vec<u8>)>),
}

const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}";

fn challenge() -> impl Strategy<Value = (String, Arguments)> {
    let octet = prop_oneof![Just(b'\t'), 0x20..0x7f_u8, 0x80..=0xff_u8];
    let value = prop_oneof![TOKEN.prop_map(String::into_bytes), vec(octet, 0..12)];
    let arguments = prop_oneof![
        "[A-Za-z0-9._~+/-]{1,12}={0,3}".prop_map(Arguments::Token68),
        vec((TOKEN, value), 0..5).prop_map(Arguments::Parameters),
    ];
    (TOKEN, arguments)
}

/// Writes challenges in one of many equivalent spellings.
struct Writer {
    line: Vec<u8>,
    random: Rng,
}

impl Writer {
    fn write(mut self, challenges: &[(String, Arguments)]) -> Vec<u8> {
        for (scheme, arguments) in challenges {
            self.comma();
            self.in_any_case(scheme);
            match arguments {
                Arguments::Token68(token68) => {
                    self.line.push(b' ');
                    self.space();
                    self.line.extend(token68.bytes());
                }
                Arguments::Parameters(parameters) => {
                    for (at, (name, value)) in parameters.iter().enumerate() {
                        match at {
                            0 => self.line.push(b' '),
                            _ => self.comma(),
                        }
                        self.space();
                        self.in_any_case(name);
                        self.space();
                        self.line.push(b'=');
                        self.space();
                        self.value(value);
                    }
                }
            }
        }
        self.line
    }

    fn space(&mut self) {
        for _ in 0..self.random.usize(..3) {
            self.line
                .push(if self.random.bool() { b' ' } else { b'\t' });
        }
    }

    /// Writes at least one comma; at the beginning of the line possibly none.
    fn comma(&mut self) {
        let min = usize::from(!self.line.is_empty());
        for _ in 0..self.random.usize(min..3) {
            self.space();
            self.line.push(b',');
        }
        self.space();
    }

    fn in_any_case(&mut self, text: &str) {
        let upper = self.random.u64(..);
        self.line
            .extend(text.bytes().enumerate().map(|(at, octet)| {
                if upper >> at & 1 == 1 {
                    octet.to_ascii_uppercase()
                } else {
                    octet.to_ascii_lowercase()
                }
            }));
    }

    fn value(&mut self, value: &[u8]) {
        let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.~".contains(octet);
        if !value.is_empty() && value.iter().all(is_token) && self.random.bool() {
            return self.line.extend(value);
        }
        self.line.push(b'"');
        for &octet in value {
            if matches!(octet, b'"' | b'\\') || self.random.u8(..4) == 0 {
                self.line.push(b'\\');
            }
            self.line.push(octet);
        }
        self.line.push(b'"');
    }
}

/// Well-formed lines, and nearly well-formed ones.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let words = select(vec![
        "Bearer ",
        "DPoP ",
        "Basic ",
        "error",
        "error=",
        "realm=x",
        ",",
        ", ",
        "\"",
        "\\",
        "=",
        "invalid_token",
        "insufficient_scope",
        "invalid_request",
        "\"invalid_token\"",
        "a=b",
        "==",
        "YII/",
        " ",
        "é",
    ]);
    vec(words, 0..14).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_octets_are_read_in_linear_time(octets in vec(any::<u8>(), 0..300)) {
        assert_linear(&octets);
    }

    #[test]
    fn a_long_line_is_read_in_linear_time(head in line(), unit in line(), tail in line()) {
        assert_linear(&[head, unit.repeat(500), tail].concat());
    }

    #[test]
    fn challenges_are_read_in_every_spelling(
        challenges in vec(challenge(), 0..5),
        seed in any::<u64>(),
    ) {
        let line = Writer { line: Vec::new(), random: Rng::with_seed(seed) }.write(&challenges);
        prop_assert!(HeaderValue::from_bytes(&line).is_ok());
        let read: Vec<_> = Challenges::new(&line).collect();
        prop_assert_eq!(read.len(), challenges.len());
        for (read, (scheme, arguments)) in read.iter().zip(&challenges) {
            prop_assert!(read.is(scheme));
            let expected = match arguments {
                Arguments::Token68(_) => Vec::new(),
                Arguments::Parameters(parameters) => parameters
                    .iter()
                    .map(|(name, value)| (name.to_ascii_lowercase().into_bytes(), value.clone()))
                    .collect(),
            };
            let parameters = read.parameters();
            let parameters: Vec<(Vec<u8>, Vec<u8>)> = parameters
                .map(|(name, value)| (name.to_ascii_lowercase(), value.octets().collect()))
                .collect();
            prop_assert_eq!(parameters, expected);
        }
    }

    #[test]
    fn the_order_of_header_lines_does_not_matter(
        lines in vec(line(), 0..5),
        seed in any::<u64>(),
    ) {
        let headers = |lines: &[Vec<u8>]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(line).unwrap());
            }
            headers
        };
        let mut shuffled = lines.clone();
        Rng::with_seed(seed).shuffle(&mut shuffled);
        for scheme in ["Bearer", "DPoP"] {
            prop_assert_eq!(
                ChallengeError::read(scheme, &headers(&lines)),
                ChallengeError::read(scheme, &headers(&shuffled))
            );
        }
    }
}
