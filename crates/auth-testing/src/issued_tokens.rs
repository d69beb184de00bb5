//! The tokens that an authorization server has issued, and which of them are active.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_core::{
    AccessTokenType,
    time::{Clock, Now},
};

use crate::sync::lock;

/// Scopes. Their order has no meaning (RFC 6749 §3.3).
pub(crate) type Scopes = BTreeSet<String>;

/// The tokens that follow from one authorization of a user: they are revoked together.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Family(pub(crate) usize);

/// Whose token it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner {
    /// The client to which it was issued. A test, or a grant without a client, issues to none.
    pub(crate) client: Option<String>,
    pub(crate) family: Option<Family>,
    /// The thumbprint of the certificate to which it is bound (RFC 8705 §3).
    pub(crate) certificate: Option<Arc<str>>,
    /// Whether it is bound to a key for DPoP (RFC 9449).
    pub(crate) has_proof: bool,
}

impl Owner {
    /// Returns the type of the token.
    pub(crate) fn token_type(&self) -> AccessTokenType {
        match self.has_proof {
            true => AccessTokenType::Dpop,
            false => AccessTokenType::Bearer,
        }
    }
}

/// Splits a `scope` value.
pub(crate) fn scopes(value: &str) -> Scopes {
    value.split_ascii_whitespace().map(str::to_owned).collect()
}

#[derive(Debug)]
pub(crate) struct IssuedTokens {
    pub(crate) clock: Arc<dyn Clock>,
    length: usize,
    issued: AtomicUsize,
    active: Mutex<HashMap<String, IssuedToken>>,
}

#[derive(Debug)]
struct IssuedToken {
    expires_at: Now,
    scopes: Scopes,
    owner: Owner,
}

impl IssuedTokens {
    pub(crate) fn new(clock: Arc<dyn Clock>, length: usize) -> Self {
        Self {
            clock,
            length,
            issued: AtomicUsize::new(0),
            active: Mutex::default(),
        }
    }

    /// Issues a token: a unique `b64token` (RFC 6750 §2.1).
    pub(crate) fn issue(
        &self,
        token_type: AccessTokenType,
        lifetime: Duration,
        scopes: Scopes,
    ) -> String {
        let owner = Owner {
            has_proof: token_type == AccessTokenType::Dpop,
            ..Owner::default()
        };
        self.issue_to(lifetime, scopes, owner)
    }

    /// Issues a token to an owner.
    pub(crate) fn issue_to(&self, lifetime: Duration, scopes: Scopes, owner: Owner) -> String {
        let number = self.issued.fetch_add(1, Relaxed) + 1;
        let mut token = format!("at-{number}-{:016x}", fastrand::u64(..));
        while token.len() < self.length {
            token.push(fastrand::alphanumeric());
        }
        let issued = IssuedToken {
            expires_at: self.clock.now().after(lifetime),
            scopes,
            owner,
        };
        lock(&self.active).insert(token.clone(), issued);
        token
    }

    /// Returns the number of tokens issued so far.
    pub(crate) fn issued(&self) -> usize {
        self.issued.load(Relaxed)
    }

    /// Returns the type and the scopes of the token. `None` if it is unknown, expired or revoked.
    pub(crate) fn granted(&self, token: &str) -> Option<(AccessTokenType, Scopes)> {
        let active = lock(&self.active);
        let issued = active.get(token)?;
        let granted = || (issued.owner.token_type(), issued.scopes.clone());
        (!self.clock.now().reached(issued.expires_at)).then(granted)
    }

    /// Returns the client to which an active token was issued.
    pub(crate) fn client_of(&self, token: &str) -> Option<String> {
        lock(&self.active).get(token)?.owner.client.clone()
    }

    /// Returns whether a request with this certificate may use the token.
    pub(crate) fn accepts_certificate(&self, token: &str, presented: Option<&str>) -> bool {
        let active = lock(&self.active);
        let bound = active.get(token).map(|token| &token.owner.certificate);
        match bound {
            Some(Some(bound)) => presented == Some(bound),
            Some(None) | None => true,
        }
    }

    pub(crate) fn revoke(&self, token: &str) {
        lock(&self.active).remove(token);
    }

    pub(crate) fn revoke_family(&self, family: Family) {
        lock(&self.active).retain(|_, token| token.owner.family != Some(family));
    }

    pub(crate) fn revoke_all(&self) {
        lock(&self.active).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manual_clock::ManualClock;

    const LIFETIME: Duration = Duration::from_secs(10);

    #[test]
    fn a_token_is_active_until_its_lifetime_is_over() {
        let clock = ManualClock::new();
        let tokens = IssuedTokens::new(Arc::new(clock.clone()), 0);
        let token = tokens.issue(AccessTokenType::Dpop, LIFETIME, scopes("b a"));
        clock.advance(LIFETIME - Duration::from_nanos(1));
        let granted = Some((AccessTokenType::Dpop, scopes("a b")));
        assert_eq!(tokens.granted(&token), granted);
        clock.advance(Duration::from_nanos(1));
        assert_eq!(tokens.granted(&token), None);
    }

    #[test]
    fn a_token_expires_while_the_machine_is_suspended() {
        let clock = ManualClock::new();
        let tokens = IssuedTokens::new(Arc::new(clock.clone()), 0);
        let token = tokens.issue(AccessTokenType::Bearer, LIFETIME, Scopes::new());
        clock.suspend(LIFETIME);
        assert_eq!(tokens.granted(&token), None);
    }

    #[test]
    fn tokens_are_unique_and_have_the_configured_length() {
        let tokens = IssuedTokens::new(Arc::new(ManualClock::new()), 900);
        let (first, second) = (
            tokens.issue(AccessTokenType::Bearer, LIFETIME, Scopes::new()),
            tokens.issue(AccessTokenType::Bearer, LIFETIME, Scopes::new()),
        );
        assert_ne!(first, second);
        assert_eq!((first.len(), second.len()), (900, 900));
        assert!(
            first
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        );
        assert!(first.starts_with("at-1-") && second.starts_with("at-2-"));
    }
}
