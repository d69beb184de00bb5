//! The refresh tokens that an authorization server has issued (RFC 6749 §6, RFC 9700 §4.14.2).

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use crate::{
    issued_tokens::{Family, Scopes},
    sync::lock,
};

#[derive(Debug, Default)]
pub(crate) struct RefreshTokens {
    issued: AtomicUsize,
    reuses: AtomicUsize,
    /// Also used and revoked tokens: a reuse has to be told from a token that never existed.
    known: Mutex<HashMap<String, RefreshToken>>,
}

#[derive(Debug)]
struct RefreshToken {
    client: String,
    scopes: Scopes,
    family: Family,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Active,
    Used,
    Revoked,
}

/// What a refresh token is exchanged for.
#[derive(Debug)]
pub(crate) struct Redeemed {
    pub(crate) scopes: Scopes,
    pub(crate) family: Family,
    /// The refresh token that takes its place.
    pub(crate) next: Option<String>,
}

/// Why a refresh token is not exchanged.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum NotRedeemed {
    Unknown,
    Revoked,
    /// It was used before. All tokens of the family have to be revoked.
    Reused(Family),
    /// The request has scopes that were not granted.
    Scopes,
}

impl RefreshTokens {
    /// Issues the first refresh token of a family.
    pub(crate) fn issue(&self, client: &str, scopes: Scopes) -> String {
        let number = self.issued.fetch_add(1, Relaxed) + 1;
        self.add(client, scopes, Family(number))
    }

    fn add(&self, client: &str, scopes: Scopes, family: Family) -> String {
        let Family(number) = family;
        let text = format!("rt-{number}-{:016x}", fastrand::u64(..));
        let token = RefreshToken {
            client: client.to_owned(),
            scopes,
            family,
            state: State::Active,
        };
        lock(&self.known).insert(text.clone(), token);
        text
    }

    /// Exchanges a token of this client. With `rotate` another one takes its place. The token is not used up
    /// if the request has too many scopes.
    pub(crate) fn redeem(
        &self,
        token: &str,
        client: &str,
        requested: Option<Scopes>,
        rotate: bool,
    ) -> Result<Redeemed, NotRedeemed> {
        let mut known = lock(&self.known);
        let found = known.get_mut(token).filter(|token| token.client == client);
        let Some(found) = found else {
            return Err(NotRedeemed::Unknown);
        };
        let family = found.family;
        match found.state {
            State::Active => {}
            State::Revoked => return Err(NotRedeemed::Revoked),
            State::Used => {
                self.reuses.fetch_add(1, Relaxed);
                drop(known);
                self.revoke_family(family);
                return Err(NotRedeemed::Reused(family));
            }
        }
        let granted = found.scopes.clone();
        let scopes = requested.unwrap_or_else(|| granted.clone());
        if !scopes.is_subset(&granted) {
            return Err(NotRedeemed::Scopes);
        }
        if rotate {
            found.state = State::Used;
        }
        drop(known);
        // the next token keeps all that the user granted (RFC 6749 §6)
        let next = rotate.then(|| self.add(client, granted, family));
        Ok(Redeemed {
            scopes,
            family,
            next,
        })
    }

    /// Revokes the refresh tokens of a family.
    pub(crate) fn revoke_family(&self, family: Family) {
        let mut known = lock(&self.known);
        for token in known.values_mut().filter(|token| token.family == family) {
            token.state = State::Revoked;
        }
    }

    /// Returns the client and the family of a token.
    pub(crate) fn owner_of(&self, token: &str) -> Option<(String, Family)> {
        let known = lock(&self.known);
        let token = known.get(token)?;
        Some((token.client.clone(), token.family))
    }

    pub(crate) fn is_active(&self, token: &str) -> bool {
        let known = lock(&self.known);
        known
            .get(token)
            .is_some_and(|token| token.state == State::Active)
    }

    pub(crate) fn reuses(&self) -> usize {
        self.reuses.load(Relaxed)
    }
}
