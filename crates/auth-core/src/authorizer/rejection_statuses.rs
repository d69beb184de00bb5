//! The statuses by which an API rejects a token.

use http::StatusCode;

use crate::Error;

/// The statuses by which an API rejects a token. Unused places are 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct RejectionStatuses([u16; Self::MAX]);

impl RejectionStatuses {
    const MAX: usize = 4;

    pub(super) fn new(statuses: &[StatusCode]) -> Result<Self, Error> {
        let invalid = |what: String| {
            Error::configuration(format!(
                "rejection statuses: expected one to {} of 400 to 499, got {what}",
                Self::MAX
            ))
        };
        if statuses.is_empty() || statuses.len() > Self::MAX {
            return Err(invalid(statuses.len().to_string()));
        }
        let mut all = [0; Self::MAX];
        for (place, status) in all.iter_mut().zip(statuses) {
            if !status.is_client_error() {
                return Err(invalid(status.as_u16().to_string()));
            }
            *place = status.as_u16();
        }
        Ok(Self(all))
    }

    #[inline]
    pub(super) fn contain(self, status: StatusCode) -> bool {
        self.0.contains(&status.as_u16())
    }
}

impl Default for RejectionStatuses {
    fn default() -> Self {
        Self([StatusCode::UNAUTHORIZED.as_u16(), 0, 0, 0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_one_to_four_client_errors() {
        for statuses in [&[][..], &[StatusCode::OK], &[StatusCode::UNAUTHORIZED; 5]] {
            let error = RejectionStatuses::new(statuses).unwrap_err().to_string();
            assert!(error.contains("expected one to 4"), "{error}");
        }
    }
}
