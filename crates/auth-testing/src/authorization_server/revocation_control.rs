//! Controls of the revocation endpoint.

use super::{revocation::REVOCATION_PATH, server::AuthorizationServer};
use crate::fault::Fault;

/// The revocation endpoint ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)). A client revokes tokens that were issued to
/// it; with a refresh token, all tokens of its [family](Self::issue_refresh_token).
impl AuthorizationServer {
    /// Returns the URL of the revocation endpoint.
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use auth_testing::{Answer, AuthorizationServer};
    /// use http::StatusCode;
    ///
    /// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
    /// assert!(server.revocation_endpoint().ends_with("/revoke"));
    /// server.fail_next_revocation(1, Answer::status(StatusCode::SERVICE_UNAVAILABLE));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn revocation_endpoint(&self) -> String {
        format!("{}{REVOCATION_PATH}", self.loopback.url())
    }

    /// Makes `fault` the outcome of the next `times` revocations, after the faults of earlier calls.
    pub fn fail_next_revocation(&self, times: usize, fault: impl Into<Fault>) {
        self.state.revocation_faults.next(times, fault.into());
    }

    /// Makes `fault` the outcome of every revocation until [`recover`](Self::recover).
    pub fn fail_all_revocations(&self, fault: impl Into<Fault>) {
        self.state.revocation_faults.always(fault.into());
    }

    /// Returns the number of requests for revocation so far, with a response or without one.
    #[must_use]
    pub fn revocation_requests(&self) -> usize {
        self.state.revocation_requests.value()
    }

    /// Waits until at least `min` requests for revocation were received since the server started.
    pub async fn until_revocation_requests(&self, min: usize) {
        self.state.revocation_requests.wait_until(min).await;
    }
}
