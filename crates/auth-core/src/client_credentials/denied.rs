//! The credentials of the last denied token request, recognized without a copy of them.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use crate::{Error, SecretString};

/// A fingerprint of the secret that was used, or that could not be read, when a token request last
/// failed because of it. Its hash is keyed at random, per source: it cannot be reversed, and guesses
/// cannot be tested against it. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct DeniedCredentials {
    hasher: RandomState,
    fingerprint: Arc<AtomicU64>,
}

/// No token request has failed because of the credentials.
const NONE: u64 = 0;
/// The secret could not be read.
const UNREADABLE: u64 = 1;

impl DeniedCredentials {
    pub(super) fn none() -> Self {
        Self {
            hasher: RandomState::new(),
            fingerprint: Arc::new(AtomicU64::new(NONE)),
        }
    }

    /// Passes on the outcome of reading the secret, and records a failure.
    pub(super) fn read(&self, secret: Result<SecretString, Error>) -> Result<SecretString, Error> {
        if secret.is_err() {
            self.fingerprint.store(UNREADABLE, Relaxed);
        } else if self.fingerprint.load(Relaxed) == UNREADABLE {
            self.fingerprint.store(NONE, Relaxed);
        }
        secret
    }

    /// Passes on the error of a token request with `secret`, and records a denial.
    pub(super) fn denied(&self, error: Error, secret: &SecretString) -> Error {
        if !error.is_transient() {
            self.fingerprint.store(self.of(secret), Relaxed);
        }
        error
    }

    /// Returns whether `secret` differs from the one that was denied.
    pub(super) fn differ_from(&self, secret: &SecretString) -> bool {
        let denied = self.fingerprint.load(Relaxed);
        denied != NONE && denied != self.of(secret)
    }

    fn of(&self, secret: &SecretString) -> u64 {
        self.hasher.hash_one(secret.expose()).max(UNREADABLE + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn only_credentials_that_failed_are_compared() {
        let [one, other] = ["one", "other"].map(SecretString::from);
        let credentials = DeniedCredentials::none();
        assert!(!credentials.differ_from(&one), "none was denied");
        let transient = Error::connection("refused");
        let _ = credentials.denied(transient, &one);
        assert!(!credentials.differ_from(&other), "the server was down");
        let _ = credentials.denied(Error::new(ErrorKind::Denied, "no"), &one);
        assert!(!credentials.differ_from(&one) && credentials.differ_from(&other));
        let _ = credentials.read(Err(Error::configuration("unreadable")));
        assert!(credentials.differ_from(&one), "it can be read again");
        let _ = credentials.read(Ok(one.clone()));
        assert!(!credentials.differ_from(&one), "it has been read again");
        assert!(!format!("{credentials:?}").contains("one"));
    }
}
