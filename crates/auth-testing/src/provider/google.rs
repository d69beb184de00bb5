//! Service accounts of Google.

use std::time::Duration;

use crate::{
    AcceptedAudience, AssertionVerifier, AuthorizationServer, AuthorizationServerBuilder,
    VerificationKey,
};

/// The token endpoint of Google, with one service account: the grant is an assertion, as Google's own library sends
/// it.
///
/// - `iss` is the e-mail address of the account, and `sub` may be a user on whose behalf it acts.
/// - `aud` is the token endpoint, and `exp` at most 1 h after `iat`.
/// - The algorithm is RS256, and the header has `kid`.
/// - `scope` is a claim.
///
/// ```
/// # async fn example(public_key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use auth_testing::{VerificationKey, provider};
///
/// let key = VerificationKey::from_pem(public_key)?;
/// let server = provider::google("robot@my-project.iam.gserviceaccount.com", key).start().await?;
/// # Ok(())
/// # }
/// ```
pub fn google(email: impl Into<String>, key: VerificationKey) -> AuthorizationServerBuilder {
    let assertions = AssertionVerifier::new(key)
        .issuer(email)
        .audience(AcceptedAudience::TokenEndpoint)
        .max_lifetime(Duration::from_secs(3600))
        .algorithms(["RS256"])
        .require_header(["kid"])
        .require_claims(["iat", "scope"])
        // Google's library sends none
        .reusable(true)
        .scope_claim(true);
    AuthorizationServer::builder()
        .token_lifetime(Duration::from_secs(3600))
        .assertion_issuer(assertions)
}
