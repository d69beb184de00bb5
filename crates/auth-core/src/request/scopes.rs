//! Sets of scopes.

use std::{
    collections::{BTreeSet, btree_set},
    fmt, iter,
    str::FromStr,
    sync::{Arc, LazyLock},
};

use crate::Error;

/// A set of scopes ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)):
/// case-sensitive, without an order.
///
/// Sets collect into their union, and a set iterates over its scopes in ascending order. Clones share one
/// allocation.
///
/// ```
/// use auth_core::Scopes;
///
/// let scopes: Scopes = "document_write document_read".parse()?;
/// assert_eq!(scopes, "document_read  document_write".parse()?);
/// assert_eq!(scopes.to_string(), "document_read document_write");
/// assert!("say \"please\"".parse::<Scopes>().is_err());
///
/// let parsed = ["document_read", "event"].into_iter().map(str::parse);
/// let scopes = parsed.collect::<Result<Scopes, _>>()?;
/// assert_eq!(scopes.iter().collect::<Vec<_>>(), ["document_read", "event"]);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scopes(Arc<BTreeSet<Box<str>>>);

impl Scopes {
    /// Returns whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether the set contains `scope`.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Iterates over the scopes, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Returns the length of the text with all scopes, in bytes.
    pub(crate) fn text_length(&self) -> usize {
        let length: usize = self.iter().map(|scope| scope.len() + 1).sum();
        length.saturating_sub(1)
    }

    fn of(scopes: BTreeSet<Box<str>>) -> Self {
        match scopes.is_empty() {
            true => Self::default(),
            false => Self(Arc::new(scopes)),
        }
    }

    /// Parses the scopes of a response, which may hold characters that a request must not.
    pub(crate) fn granted(text: &str) -> Self {
        Self::of(text.split_whitespace().map(Into::into).collect())
    }

    /// Adds the scopes of `text`, separated by spaces.
    pub(super) fn add(&mut self, text: &str) -> Result<(), Error> {
        for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
            let allowed = |c: char| matches!(c, '\x21' | '\x23'..='\x5B' | '\x5D'..='\x7E');
            if let Some(c) = scope.chars().find(|c| !allowed(*c)) {
                return Err(Error::configuration(format!(
                    "scope {scope:?}: expected printable ASCII without quote and backslash \
                     (RFC 6749 section 3.3), got {c:?}"
                )));
            }
            Arc::make_mut(&mut self.0).insert(scope.into());
        }
        Ok(())
    }
}

impl Default for Scopes {
    /// Returns an empty set. All empty sets of a process are clones of one.
    fn default() -> Self {
        static EMPTY: LazyLock<Scopes> = LazyLock::new(|| Scopes(Arc::default()));
        EMPTY.clone()
    }
}

impl FromStr for Scopes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut scopes = Self::default();
        scopes.add(text)?;
        Ok(scopes)
    }
}

impl FromIterator<Self> for Scopes {
    /// Returns the union.
    fn from_iter<I: IntoIterator<Item = Self>>(sets: I) -> Self {
        let scopes = sets.into_iter().map(|set| Arc::unwrap_or_clone(set.0));
        Self::of(scopes.flatten().collect())
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a str;
    type IntoIter = iter::Map<btree_set::Iter<'a, Box<str>>, fn(&'a Box<str>) -> &'a str>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(AsRef::as_ref)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, scope) in self.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { " " })?;
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_3_scope_is_a_case_sensitive_set_without_order() {
        let one: Scopes = "b a".parse().unwrap();
        assert_eq!(one, "a b a".parse().unwrap());
        assert_ne!(one, "A b".parse().unwrap());
        assert!(one.contains("a") && !one.contains("A"));
    }
}
