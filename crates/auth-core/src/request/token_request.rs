//! The parameters that shape a token, and are therefore the key under which it is cached.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::{Arc, LazyLock},
};

use super::{authorization_detail::detail_type, scopes::Scopes};
use crate::redact::without_secrets;

/// A request for a token: the parameters that shape the token, and nothing else. Two equal requests
/// may share a token. Two different requests never do.
///
/// Clones are handles to the same request. Looking up a token is fastest with a clone of the
/// request that it was first requested with: two clones need not be compared member by member.
///
/// ```
/// use auth_core::TokenRequest;
///
/// let request = TokenRequest::builder()
///     .scope("document_read document_write")
///     .audience("https://api.example.com")
///     .build()?;
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenRequest {
    /// The hash of all fields, computed once. It is outside the allocation of the fields, so that a
    /// map is searched without reading them.
    hash: u64,
    fields: Arc<Fields>,
}

/// Comparison and hashing are derived, so that a new field takes part in both.
#[derive(Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Fields {
    pub(super) scopes: Scopes,
    pub(super) resources: BTreeSet<String>,
    pub(super) audience: Option<Box<str>>,
    /// JSON objects, in the order in which they are sent.
    pub(super) authorization_details: Vec<String>,
    pub(super) parameters: BTreeMap<String, String>,
}

impl TokenRequest {
    /// Creates a request. Its hash is keyed at random, per process: a client that chooses audiences
    /// cannot choose hashes.
    pub(super) fn new(fields: Fields) -> Self {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self {
            hash: HASHER.hash_one(&fields),
            fields: Arc::new(fields),
        }
    }

    /// Returns the requested scopes.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.fields.scopes
    }

    /// Returns the resource indicators ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)), and
    /// the values of the parameter `resource` that are none.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.fields.resources.iter().map(String::as_str)
    }

    /// Returns the `audience` parameter, which several authorization servers require.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        self.fields.audience.as_deref()
    }

    /// Returns the details of the authorization that is requested, each of which is a JSON object, in
    /// the order in which they are sent ([RFC 9396](https://www.rfc-editor.org/rfc/rfc9396)).
    pub fn authorization_details(&self) -> impl Iterator<Item = &str> {
        self.fields.authorization_details.iter().map(String::as_str)
    }

    /// Returns the further parameters, ordered by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let parameters = self.fields.parameters.iter();
        parameters.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns all parameters of the request, in a fixed order.
    pub(crate) fn texts(&self) -> [Vec<&str>; 5] {
        let Fields {
            scopes,
            resources,
            audience,
            authorization_details,
            parameters,
        } = &*self.fields;
        let parameters = parameters.iter();
        [
            scopes.iter().collect(),
            resources.iter().map(String::as_str).collect(),
            audience.iter().map(AsRef::as_ref).collect(),
            authorization_details.iter().map(String::as_str).collect(),
            parameters
                .flat_map(|(name, value)| [&**name, value])
                .collect(),
        ]
    }

    /// Returns this request, completed from `defaults`.
    pub(crate) fn or(&self, defaults: &Self) -> Self {
        let defaults = &*defaults.fields;
        let Fields {
            scopes,
            resources,
            audience,
            authorization_details,
            parameters,
        } = &*self.fields;
        Self::new(Fields {
            scopes: if scopes.is_empty() {
                defaults.scopes.clone()
            } else {
                scopes.clone()
            },
            resources: if resources.is_empty() {
                defaults.resources.clone()
            } else {
                resources.clone()
            },
            audience: audience.clone().or_else(|| defaults.audience.clone()),
            authorization_details: if authorization_details.is_empty() {
                defaults.authorization_details.clone()
            } else {
                authorization_details.clone()
            },
            parameters: {
                let mut all = defaults.parameters.clone();
                all.retain(|default, _| {
                    let is_same = |name: &String| name.eq_ignore_ascii_case(default);
                    !parameters.keys().any(is_same)
                });
                all.extend(parameters.clone());
                all
            },
        })
    }
}

impl Default for TokenRequest {
    /// Returns an empty request. All empty requests of a process are clones of one.
    fn default() -> Self {
        static EMPTY: LazyLock<TokenRequest> =
            LazyLock::new(|| TokenRequest::new(Fields::default()));
        EMPTY.clone()
    }
}

impl PartialEq for TokenRequest {
    /// Compares the fields only if the hashes are equal: different requests may have equal hashes.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.fields, &other.fields)
            || (self.hash == other.hash && self.fields == other.fields)
    }
}

impl Eq for TokenRequest {}

impl Hash for TokenRequest {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Ord for TokenRequest {
    fn cmp(&self, other: &Self) -> Ordering {
        self.fields.cmp(&other.fields)
    }
}

impl PartialOrd for TokenRequest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for TokenRequest {
    /// Shows details of the authorization by type only, parameters by name only, and neither query nor user of a URL: their values may be
    /// secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources: Vec<_> = self.resources().map(without_secrets).collect();
        let details: Vec<_> = self.authorization_details().map(detail_type).collect();
        f.debug_struct("TokenRequest")
            .field("scopes", &self.fields.scopes)
            .field("resources", &resources)
            .field("audience", &self.audience().map(without_secrets))
            .field("authorization_details", &details)
            .field("parameters", &self.fields.parameters.keys())
            .finish()
    }
}

#[cfg(test)]
mod tests;
