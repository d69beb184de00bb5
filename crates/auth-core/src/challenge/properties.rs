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

/// Asserts that no octet is read more than twice: twice where a parameter turns out to be a token68.
fn assert_linear(line: &[u8]) {
    READ.set(0);
    let sizes = Parts::new(line).map(|part| match part {
        Part::Scheme(scheme) => scheme.len(),
        Part::Parameter(name, value) => name.len() + value.octets().count(),
        Part::Token68 | Part::Malformed => 0,
    });
    assert!(sizes.sum::<usize>() <= line.len());
    assert!(READ.get() <= 2 * line.len(), "{} reads", READ.get());
}

/// The challenges of field lines: each scheme with its parameters, in lower case.
type Read = Vec<(Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>)>;

/// Reads the challenges of field lines. `None` if a line is malformed.
fn read<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Read> {
    let mut read = Read::new();
    for part in lines.into_iter().flat_map(Parts::new) {
        match part {
            Part::Scheme(scheme) => read.push((scheme.to_ascii_lowercase(), Vec::new())),
            Part::Parameter(name, value) => {
                let parameter = (name.to_ascii_lowercase(), value.octets().collect());
                read.last_mut()?.1.push(parameter);
            }
            Part::Token68 => {}
            Part::Malformed => return None,
        }
    }
    Some(read)
}

fn headers(lines: &[Vec<u8>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(line).unwrap());
    }
    headers
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
    /// The places between two elements, at which the list may be split into field lines.
    boundaries: Vec<usize>,
    random: Rng,
}

impl Writer {
    fn new(seed: u64) -> Self {
        Self {
            line: Vec::new(),
            boundaries: Vec::new(),
            random: Rng::with_seed(seed),
        }
    }

    /// Writes challenges as one field line.
    fn line(self, challenges: &[(String, Arguments)]) -> Vec<u8> {
        self.write(challenges).line
    }

    /// Writes challenges as a field line, and the same line split between elements. A comma at the
    /// end of a line is kept or not.
    fn lines(self, challenges: &[(String, Arguments)]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let Self {
            line,
            boundaries,
            mut random,
        } = self.write(challenges);
        let mut lines = Vec::new();
        let mut begin = 0;
        for boundary in boundaries {
            if random.bool() {
                let end = boundary + usize::from(random.bool());
                lines.push(line[begin..end].to_vec());
                begin = boundary + 1;
            }
        }
        lines.push(line[begin..].to_vec());
        (line, lines)
    }

    fn write(mut self, challenges: &[(String, Arguments)]) -> Self {
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
        self
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
            self.boundaries.push(self.line.len());
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
        let line = Writer::new(seed).line(&challenges);
        prop_assert!(HeaderValue::from_bytes(&line).is_ok());
        let expected: Read = challenges
            .iter()
            .map(|(scheme, arguments)| {
                let parameters = match arguments {
                    Arguments::Token68(_) => Vec::new(),
                    Arguments::Parameters(parameters) => parameters
                        .iter()
                        .map(|(name, value)| (name.to_ascii_lowercase().into_bytes(), value.clone()))
                        .collect(),
                };
                (scheme.to_ascii_lowercase().into_bytes(), parameters)
            })
            .collect();
        prop_assert_eq!(read([&line[..]]), Some(expected));
    }

    #[test]
    fn a_list_that_is_split_into_lines_between_its_elements_means_the_same(
        challenges in vec(challenge(), 0..5),
        seed in any::<u64>(),
    ) {
        let (joined, lines) = Writer::new(seed).lines(&challenges);
        let split = lines.iter().map(Vec::as_slice);
        prop_assert_eq!(read(split), read([&joined[..]]), "{:?}", lines);
    }

    /// For any lines, if none is malformed: with odd commas, repeated parameters and known codes.
    #[test]
    fn lines_mean_what_their_combination_means(
        lines in vec(line(), 0..6).prop_filter("malformed", |lines| {
            lines.iter().all(|line| {
                Parts::new(line).all(|part| !matches!(part, Part::Malformed))
            })
        }),
    ) {
        let joined = lines.join(&b", "[..]);
        for scheme in ["Bearer", "DPoP"] {
            prop_assert_eq!(
                ChallengeError::read(scheme, &headers(&lines)),
                ChallengeError::read(scheme, &headers(std::slice::from_ref(&joined)))
            );
        }
    }

    #[test]
    fn the_order_of_lines_that_begin_with_a_scheme_does_not_matter(
        lines in vec(line(), 0..5).prop_map(|mut lines| {
            lines.retain(|line| matches!(Parts::new(line).next(), Some(Part::Scheme(_))));
            lines
        }),
        seed in any::<u64>(),
    ) {
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
