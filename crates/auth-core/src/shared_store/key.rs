//! The key under which processes share a token.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use zeroize::Zeroizing;

use super::need::Need;
use crate::TokenRequest;

/// The key under which processes share a token: all parameters that shape the token, without the
/// client's secret.
///
/// Two processes have the same key only if the same client requests the same token from the same
/// server in the same way. The bytes hold the parameters of the request, which may be secret.
/// Therefore a store hashes them with a key of its own, and does not show them.
///
/// ```
/// use auth_core::{TokenRequest, shared_store::SharedKey};
///
/// let request = TokenRequest::builder().audience("https://api.example.com").build()?;
/// let key = SharedKey::new(["https://vault.example.com", "role-7"], &request);
/// assert_ne!(key, SharedKey::new(["https://vault.example.com", "role-8"], &request));
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedKey {
    bytes: Zeroizing<Vec<u8>>,
    /// Takes no part in comparisons.
    need: Option<Need>,
}

impl SharedKey {
    /// Creates a key for `request`. `source` names the server, the client and its authentication
    /// method.
    #[must_use]
    pub fn new<'a>(source: impl IntoIterator<Item = &'a str>, request: &TokenRequest) -> Self {
        let [scopes, resources, audience, details, parameters] = request.texts();
        let source: Vec<_> = source.into_iter().collect();
        let lists = [source, scopes, resources, audience, details, parameters];
        let length = |texts: &Vec<&str>| texts.iter().map(|text| 8 + text.len()).sum::<usize>();
        let whole: usize = lists.iter().map(|texts| 8 + length(texts)).sum();
        // allocated once: growing would leave unwiped copies behind
        let mut key = Self::empty(whole, None);
        for texts in lists {
            key.list(&texts);
        }
        key
    }

    /// Returns the key's bytes. The encoding is unambiguous: each list and each text is preceded by
    /// its length.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the need for a token on account of which a cache calls the store. `None` if no cache made
    /// the call. For `auth-redis`; not part of the public API.
    #[doc(hidden)]
    #[must_use]
    pub fn need(&self) -> Option<Need> {
        self.need
    }

    /// Sets the need on account of which the store is called. For `auth-redis`; not part of the public
    /// API.
    #[doc(hidden)]
    #[must_use]
    pub fn with_need(mut self, need: Need) -> Self {
        self.need = Some(need);
        self
    }

    /// Returns the key of the fallback lease, for the processes that wait for the holder of this
    /// key's lease.
    pub(crate) fn fallback(&self) -> Self {
        let mut key = Self::empty(self.bytes.len() + 64, self.need);
        key.bytes.extend_from_slice(&self.bytes);
        key.list(&["fallback"]);
        key
    }

    fn empty(capacity: usize, need: Option<Need>) -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(capacity)),
            need,
        }
    }

    fn list(&mut self, texts: &[&str]) {
        self.length(texts.len());
        for text in texts {
            self.length(text.len());
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    fn length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&(length as u64).to_be_bytes());
    }
}

impl PartialEq for SharedKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for SharedKey {}

impl Hash for SharedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokenRequestBuilder;

    fn key(
        source: &[&str],
        build: impl FnOnce(TokenRequestBuilder) -> TokenRequestBuilder,
    ) -> SharedKey {
        let request = build(TokenRequest::builder()).build().unwrap();
        SharedKey::new(source.iter().copied(), &request)
    }

    #[test]
    fn two_different_requests_have_different_keys() {
        let keys = [
            key(&[], |r| r),
            key(&["a"], |r| r),
            key(&["a", "b"], |r| r),
            key(&["ab"], |r| r),
            key(&["a", ""], |r| r),
            key(&["a"], |r| r.scope("x")),
            key(&["a"], |r| r.scope("x y")),
            key(&["a"], |r| r.audience("x")),
            key(&["a"], |r| r.authorization_detail(r#"{"type":"x"}"#)),
            key(&["a"], |r| r.authorization_detail(r#"{"type":"y"}"#)),
            key(&["a"], |r| {
                r.authorization_detail(r#"{"type":"x"}"#)
                    .authorization_detail(r#"{"type":"y"}"#)
            }),
            key(&["a"], |r| {
                r.authorization_detail(r#"{"type":"y"}"#)
                    .authorization_detail(r#"{"type":"x"}"#)
            }),
            key(&["a"], |r| r.parameter("x", "y")),
            key(&["a"], |r| r.parameter("xy", "")),
            key(&["a"], |r| r.resource("https://x.example")),
            key(&["a"], |r| {
                r.resource("https://x.example")
                    .resource("https://y.example")
            }),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|other| other != one), "{at}");
        }
    }

    #[test]
    fn equal_requests_have_equal_keys_regardless_of_the_order_of_settings() {
        let one = key(&["a"], |r| {
            r.scope("x y").parameter("p", "1").parameter("q", "2")
        });
        let other = key(&["a"], |r| {
            r.parameter("q", "2").parameter("p", "1").scope("y x")
        });
        assert_eq!(one, other);
    }

    #[test]
    fn keys_of_two_caches_are_equal_and_a_fallback_lease_is_for_the_same_need() {
        let (one, other) = (Need::new(1, 0), Need::new(2, 0));
        let key = key(&["a"], |r| r).with_need(one);
        assert_eq!(key, key.clone().with_need(other));
        assert_eq!(key.fallback().need(), Some(one));
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = key(&["a"], |r| r.parameter("password", "s3cr3t"));
        assert_eq!(format!("{key:?}"), "SharedKey");
    }
}
