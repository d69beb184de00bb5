//! The credentials of the last denied token request, recognized without a copy of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Error, version::Version};

/// The version of the credentials that were used, or that could not be obtained, when a token request
/// last failed because of them. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct DeniedCredentials(Arc<Mutex<Failure>>);

#[derive(Debug, Default)]
enum Failure {
    /// No token request has failed because of the credentials.
    #[default]
    None,
    /// The credentials could not be obtained. `None`: their version is not known either.
    NotObtained(Option<Version>),
    /// The server denied a request with them.
    Denied(Version),
}

impl DeniedCredentials {
    /// Records that the credentials could not be obtained. `version`: their version, if it is known.
    pub(super) fn not_obtained(&self, version: Option<Version>) {
        *self.lock() = Failure::NotObtained(version);
    }

    /// Records that the credentials were obtained.
    pub(super) fn obtained(&self) {
        // a denial of other credentials stays recorded
        let mut failure = self.lock();
        if matches!(*failure, Failure::NotObtained(None)) {
            *failure = Failure::None;
        }
    }

    /// Passes on the error of a token request with credentials of `version`, and records a denial.
    pub(super) fn denied(&self, error: Error, version: Version) -> Error {
        if !error.is_transient() {
            *self.lock() = Failure::Denied(version);
        }
        error
    }

    /// Returns whether `version` differs from the one that was denied, or from that of credentials that
    /// could not be obtained: they may have had no version then, as a file that did not exist.
    pub(super) fn differs_from(&self, version: Version) -> bool {
        match *self.lock() {
            Failure::None => false,
            Failure::NotObtained(failed) => failed != Some(version),
            Failure::Denied(denied) => version.differs_from(denied),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn only_credentials_that_failed_are_compared() {
        let [one, other] = ["one", "other"].map(Version::of);
        let credentials = DeniedCredentials::default();
        assert!(!credentials.differs_from(one), "none was denied");
        let transient = Error::connection("closed");
        let _ = credentials.denied(transient, one);
        assert!(!credentials.differs_from(other), "the server was down");
        let _ = credentials.denied(Error::new(ErrorKind::Denied, "no"), one);
        assert!(!credentials.differs_from(one) && credentials.differs_from(other));
        credentials.not_obtained(None);
        assert!(credentials.differs_from(one), "it can be read again");
        credentials.obtained();
        assert!(!credentials.differs_from(one), "it has been read again");
        credentials.not_obtained(Some(one));
        assert!(
            !credentials.differs_from(one),
            "it is as unusable as before"
        );
        assert!(credentials.differs_from(other));
    }

    #[test]
    fn a_version_that_is_not_known_does_not_differ_from_a_denied_one() {
        let [one, other] = ["one", "other"].map(Version::of);
        let unknown = Version::of_number(None);
        let credentials = DeniedCredentials::default();
        let _ = credentials.denied(Error::new(ErrorKind::Denied, "no"), one);
        assert!(!credentials.differs_from(unknown));
        assert!(!credentials.differs_from(other.and(unknown)));
        let _ = credentials.denied(Error::new(ErrorKind::Denied, "no"), one.and(unknown));
        assert!(!credentials.differs_from(other));
        assert!(credentials.differs_from(unknown.and(other)));
        credentials.not_obtained(Some(unknown));
        assert!(!credentials.differs_from(unknown));
        assert!(credentials.differs_from(one), "the file exists now");
    }
}
