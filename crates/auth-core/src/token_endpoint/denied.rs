//! The credentials of the last denied token request, recognized without a copy of them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::{Error, version::Version};

/// The version of the credentials that were used, or that could not be obtained, when a token request
/// last failed because of them. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct DeniedCredentials(Arc<AtomicU64>);

/// No token request has failed because of the credentials.
const NONE: u64 = 0;
/// The credentials could not be obtained, and have no version.
const UNKNOWN: u64 = 1;

impl DeniedCredentials {
    /// Records that the credentials could not be obtained. `version`: their version, if it is known.
    pub(super) fn not_obtained(&self, version: Option<Version>) {
        self.0.store(version.map_or(UNKNOWN, number), Relaxed);
    }

    /// Records that the credentials were obtained.
    pub(super) fn obtained(&self) {
        // a denial of other credentials stays recorded
        let _ = self.0.compare_exchange(UNKNOWN, NONE, Relaxed, Relaxed);
    }

    /// Passes on the error of a token request with credentials of `version`, and records a denial.
    pub(super) fn denied(&self, error: Error, version: Version) -> Error {
        if !error.is_transient() {
            self.0.store(number(version), Relaxed);
        }
        error
    }

    /// Returns whether `version` differs from the one that was denied.
    pub(super) fn differs_from(&self, version: Version) -> bool {
        let denied = self.0.load(Relaxed);
        denied != NONE && denied != number(version)
    }
}

fn number(version: Version) -> u64 {
    version.number().max(UNKNOWN + 1)
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
}
