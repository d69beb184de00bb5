//! Whether a denial concerns the client, whatever token it requested.

use http::StatusCode;

use super::Error;

/// The codes of denials that concern one token request, even with status 401.
const OF_REQUEST: [&str; 5] = [
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_grant",
    "unsupported_grant_type",
];

impl Error {
    /// Returns whether the authorization server denied the client, whatever token it requested.
    ///
    /// Some servers deny a wrong secret with another code than `invalid_client`: Keycloak with 401 and
    /// `unauthorized_client`, Auth0 with 401 and `access_denied`.
    pub(crate) fn denies_client(&self) -> bool {
        if self.is_transient() {
            return false;
        }
        match self.error_code() {
            Some("invalid_client" | "unauthorized_client") => true,
            Some(code) if OF_REQUEST.contains(&code) => false,
            _ => self.status() == Some(StatusCode::UNAUTHORIZED),
        }
    }
}
