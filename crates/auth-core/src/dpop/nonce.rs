//! Nonces that servers send for proofs (RFC 9449 §8 and §9).

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use http::{HeaderMap, HeaderName};

use crate::events;

/// The header in which a server sends a nonce (RFC 9449 §8.1).
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The maximum length of a nonce. A proof with a longer one would not fit into the headers that servers
/// accept.
const MAX_NONCE: usize = 4 * 1024;

/// A nonce of a server. Clones share its text.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Nonce(Arc<str>);

/// The nonce in a response.
pub(crate) enum Received<'a> {
    /// There is none.
    Nothing,
    Nonce(&'a str),
    /// There is a header, but no nonce in it, for this reason.
    Unusable(&'static str),
}

impl Nonce {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the nonce of a response replaces the last known one. `sent`: the nonce in the proof
    /// of the request.
    ///
    /// Responses may arrive in another order than the server wrote them, and a nonce does not tell its age.
    /// It is newer than the nonce in the proof to which the server responds by it. If another response has
    /// replaced that one meanwhile, the nonce may be the older one of the two.
    pub(super) fn is_replaced(last: Option<&Self>, sent: Option<&Self>) -> bool {
        last.is_none() || last == sent
    }
}

impl From<&str> for Nonce {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce")
    }
}

/// Reads the nonce of a response, or of the trailers of a gRPC response.
pub(super) fn received(headers: &HeaderMap) -> Received<'_> {
    let mut values = headers.get_all(DPOP_NONCE).iter();
    let Some(value) = values.next() else {
        return Received::Nothing;
    };
    if values.next().is_some() {
        return Received::Unusable("several headers");
    }
    // RFC 9449 §8.1: NQCHAR of RFC 6749 appendix A, which no JSON text has to escape
    let is_nqchar = |octet: &u8| matches!(octet, b'!' | b'#'..=b'[' | b']'..=b'~');
    let value = value.as_bytes();
    match std::str::from_utf8(value) {
        _ if value.is_empty() => Received::Unusable("an empty text"),
        _ if value.len() > MAX_NONCE => Received::Unusable("more than 4,096 octets"),
        Ok(text) if value.iter().all(is_nqchar) => Received::Nonce(text),
        _ => Received::Unusable("a character that no nonce has"),
    }
}

/// The warning about nonces that cannot be used, logged once.
#[derive(Debug, Default)]
pub(super) struct NonceWarning(AtomicBool);

impl NonceWarning {
    pub(super) fn log(&self, server: &str, got: &'static str) {
        if !self.0.swap(true, Relaxed) {
            events::dpop_nonce_ignored(server, got);
        }
    }
}

/// The last nonce of one server.
#[derive(Debug, Default)]
pub(crate) struct NonceCell {
    last: Mutex<Option<Nonce>>,
    warning: NonceWarning,
}

impl NonceCell {
    pub(crate) fn last(&self) -> Option<Nonce> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }

    /// Takes the nonce out of a response of `server` to a request whose proof had the nonce `sent`. It
    /// replaces the last one, unless [another response](Nonce::is_replaced) has.
    pub(crate) fn learn(&self, server: &str, headers: &HeaderMap, sent: Option<&Nonce>) {
        match received(headers) {
            Received::Nothing => {}
            Received::Nonce(text) => {
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                let is_known = last.as_ref().is_some_and(|last| last.as_str() == text);
                if !is_known && Nonce::is_replaced(last.as_ref(), sent) {
                    *last = Some(Nonce::from(text));
                }
            }
            Received::Unusable(got) => self.warning.log(server, got),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(DPOP_NONCE, HeaderValue::from_bytes(value).unwrap());
        }
        match received(&headers) {
            Received::Nothing => Ok(None),
            Received::Nonce(text) => Ok(Some(text.to_owned())),
            Received::Unusable(got) => Err(got),
        }
    }

    #[test]
    fn rfc9449_8_1_a_nonce_has_the_characters_of_the_grammar() {
        assert_eq!(read(&[]), Ok(None));
        for nonce in ["eyJ7S_zG.eyJH0-Z.HX4w-7v", "!#[]~", &"n".repeat(MAX_NONCE)] {
            assert_eq!(read(&[nonce.as_bytes()]), Ok(Some(nonce.to_owned())));
        }
        for octet in (0..=255).filter(|octet| HeaderValue::from_bytes(&[*octet]).is_ok()) {
            let is_nonce = matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert_eq!(read(&[&[b'n', octet]]).is_ok(), is_nonce, "{octet}");
        }
    }

    #[test]
    fn an_empty_a_long_or_a_second_nonce_is_none() {
        assert_eq!(read(&[b""]), Err("an empty text"));
        let long = "n".repeat(MAX_NONCE + 1);
        assert_eq!(read(&[long.as_bytes()]), Err("more than 4,096 octets"));
        assert_eq!(read(&[b"a", b"a"]), Err("several headers"));
    }

    #[test]
    fn rfc9449_8_2_each_nonce_replaces_the_last_one_and_an_unusable_one_does_not() {
        let cell = NonceCell::default();
        let mut headers = HeaderMap::new();
        for (received, last) in [("a", "a"), ("b", "b"), ("c c", "b"), ("b", "b")] {
            headers.insert(DPOP_NONCE, HeaderValue::from_static(received));
            cell.learn("https://as.example", &headers, cell.last().as_ref());
            assert_eq!(cell.last(), Some(Nonce::from(last)));
        }
        cell.learn(
            "https://as.example",
            &HeaderMap::new(),
            cell.last().as_ref(),
        );
        assert_eq!(cell.last(), Some(Nonce::from("b")));
    }

    #[test]
    fn a_late_response_does_not_bring_an_older_nonce_back() {
        let cell = NonceCell::default();
        let mut headers = HeaderMap::new();
        for (sent, received, last) in [
            (None, "a", "a"),
            (Some("a"), "b", "b"),
            // both were sent before `b` was known
            (Some("a"), "a", "b"),
            (None, "a", "b"),
            // the server does not accept `b`
            (Some("b"), "a", "a"),
        ] {
            headers.insert(DPOP_NONCE, HeaderValue::from_static(received));
            let sent = sent.map(Nonce::from);
            cell.learn("https://as.example", &headers, sent.as_ref());
            assert_eq!(cell.last(), Some(Nonce::from(last)));
        }
    }
}
