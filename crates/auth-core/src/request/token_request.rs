//! Token requests, and what makes two of them equal.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::{Arc, LazyLock},
};

use super::scopes::Scopes;

/// What is asked of the token endpoint: everything that shapes a token, and nothing else. Two
/// equal requests may share a token, two different ones never do.
///
/// Clones are handles to the same request. Looking up a token is cheapest with a clone of the
/// request that it was first fetched for: the two are then not compared field by field.
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
    /// Of all fields, computed once. It is stored in the handle, so that a map is searched without
    /// reading the fields.
    hash: u64,
    fields: Arc<Fields>,
}

/// Comparison and hash are derived: a new field takes part in both.
#[derive(Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Fields {
    pub(super) scopes: Scopes,
    pub(super) resources: BTreeSet<String>,
    pub(super) audience: Option<String>,
    pub(super) parameters: BTreeMap<String, String>,
}

impl TokenRequest {
    /// The hash is keyed at random, by process: choosing an audience does not choose a hash.
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

    /// Returns the resource indicators ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.fields.resources.iter().map(String::as_str)
    }

    /// Returns the `audience` parameter, which several authorization servers expect.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        self.fields.audience.as_deref()
    }

    /// Returns further parameters, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let parameters = self.fields.parameters.iter();
        parameters.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All its texts, in a fixed order.
    pub(crate) fn texts(&self) -> [Vec<&str>; 4] {
        let Fields {
            scopes,
            resources,
            audience,
            parameters,
        } = &*self.fields;
        let parameters = parameters.iter();
        [
            scopes.iter().collect(),
            resources.iter().map(String::as_str).collect(),
            audience.iter().map(String::as_str).collect(),
            parameters
                .flat_map(|(name, value)| [&**name, value])
                .collect(),
        ]
    }

    /// This request, with the fields that it leaves open taken from `defaults`.
    pub(crate) fn or(&self, defaults: &Self) -> Self {
        let defaults = &*defaults.fields;
        let Fields {
            scopes,
            resources,
            audience,
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
            parameters: {
                let mut all = defaults.parameters.clone();
                all.extend(parameters.clone());
                all
            },
        })
    }
}

impl Default for TokenRequest {
    /// Leaves every field open. All defaults of a process are one request.
    fn default() -> Self {
        static NOTHING: LazyLock<TokenRequest> =
            LazyLock::new(|| TokenRequest::new(Fields::default()));
        NOTHING.clone()
    }
}

impl PartialEq for TokenRequest {
    /// Different hashes belong to different requests; equal hashes prove nothing.
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
    /// Parameters by name only: their values may be anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("scopes", &self.fields.scopes)
            .field("resources", &self.fields.resources)
            .field("audience", &self.fields.audience)
            .field("parameters", &self.fields.parameters.keys())
            .finish()
    }
}

#[cfg(test)]
mod tests;
