//! The nonces of APIs: one for each origin.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::HeaderMap;

use super::nonce::{Nonce, NonceWarning, Received, received};

/// The maximum number of origins whose nonce is kept. An authorizer with more of them, which is one
/// with `danger_any_origin`, pays with a repetition of a request now and then.
const MAX_ORIGINS: usize = 128;

/// The last nonce of each origin (RFC 9449 §9). Beyond the maximum the origin is forgotten whose nonce
/// was used the longest time ago.
#[derive(Default)]
pub(crate) struct Nonces {
    kept: Mutex<Kept>,
    warning: NonceWarning,
}

#[derive(Default)]
struct Kept {
    by_origin: HashMap<Box<str>, Entry>,
    /// The number of uses so far.
    uses: u64,
}

struct Entry {
    nonce: Nonce,
    last_use: u64,
}

impl Nonces {
    /// Returns the last nonce of an origin.
    pub(crate) fn last(&self, origin: &str) -> Option<Nonce> {
        let mut kept = self.kept();
        kept.uses += 1;
        let use_number = kept.uses;
        let entry = kept.by_origin.get_mut(origin)?;
        entry.last_use = use_number;
        Some(entry.nonce.clone())
    }

    /// Takes the nonce out of a response of an origin to a request whose proof had the nonce `sent`. It
    /// replaces the last one, unless [another response](Nonce::is_replaced) has.
    pub(crate) fn learn(&self, origin: &str, headers: &HeaderMap, sent: Option<&Nonce>) {
        match received(headers) {
            Received::Nothing => {}
            Received::Nonce(text) => self.kept().insert(origin, text, sent),
            Received::Unusable(got) => self.warning.log(origin, got),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, origin: &str, text: &str, sent: Option<&Nonce>) {
        self.uses += 1;
        if let Some(entry) = self.by_origin.get_mut(origin) {
            entry.last_use = self.uses;
            if entry.nonce.as_str() != text && Nonce::is_replaced(Some(&entry.nonce), sent) {
                entry.nonce = Nonce::from(text);
            }
            return;
        }
        if self.by_origin.len() >= MAX_ORIGINS {
            self.forget_one();
        }
        let entry = Entry {
            nonce: Nonce::from(text),
            last_use: self.uses,
        };
        self.by_origin.insert(origin.into(), entry);
    }

    fn forget_one(&mut self) {
        let oldest = self
            .by_origin
            .iter()
            .min_by_key(|(_, entry)| entry.last_use);
        if let Some(origin) = oldest.map(|(origin, _)| origin.clone()) {
            self.by_origin.remove(&origin);
        }
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces")
            .field("origins", &self.kept().by_origin.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(nonces: &Nonces, origin: &str, nonce: &str) {
        let mut headers = HeaderMap::new();
        headers.insert("dpop-nonce", nonce.parse().unwrap());
        nonces.learn(origin, &headers, nonces.last(origin).as_ref());
    }

    #[test]
    fn rfc9449_9_each_origin_has_its_own_nonce() {
        let nonces = Nonces::default();
        learn(&nonces, "https://a.example", "1");
        learn(&nonces, "https://a.example:8443", "2");
        learn(&nonces, "https://a.example", "3");
        assert_eq!(nonces.last("https://a.example"), Some(Nonce::from("3")));
        assert_eq!(
            nonces.last("https://a.example:8443"),
            Some(Nonce::from("2"))
        );
        assert_eq!(nonces.last("https://b.example"), None);
    }

    #[test]
    fn beyond_128_origins_the_one_is_forgotten_that_was_used_the_longest_time_ago() {
        let nonces = Nonces::default();
        let origin = |number: usize| format!("https://{number}.example");
        for number in 0..MAX_ORIGINS {
            learn(&nonces, &origin(number), "n");
        }
        assert!(nonces.last(&origin(0)).is_some(), "used again");
        for number in MAX_ORIGINS..10 * MAX_ORIGINS {
            learn(&nonces, &origin(number), "n");
            assert!(nonces.last(&origin(0)).is_some(), "used all the time");
        }
        assert!(nonces.last(&origin(1)).is_none());
        assert_eq!(nonces.kept().by_origin.len(), MAX_ORIGINS);
    }
}
