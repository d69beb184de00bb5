//! DocuSign.

use std::time::Duration;

use crate::{
    AcceptedAudience, AssertionVerifier, AuthorizationServer, AuthorizationServerBuilder,
    VerificationKey,
};

/// The environment of DocuSign for developers, with one user who has consented: the grant is an assertion, as DocuSign's
/// own library sends it.
///
/// - `iss` is the integration key, and `sub` the id of the user.
/// - `aud` is `account-d.docusign.com`, without a scheme.
/// - The algorithm is RS256.
/// - `scope` is a claim, such as `signature impersonation`.
///
/// ```
/// # async fn example(public_key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use auth_testing::{VerificationKey, provider};
///
/// let key = VerificationKey::from_pem(public_key)?;
/// let server = provider::docusign("integration-key", "user-id", key).start().await?;
/// # Ok(())
/// # }
/// ```
pub fn docusign(
    integration_key: impl Into<String>,
    user_id: impl Into<String>,
    key: VerificationKey,
) -> AuthorizationServerBuilder {
    let assertions = AssertionVerifier::new(key)
        .issuer(integration_key)
        .subject(user_id)
        .audience(AcceptedAudience::Text("account-d.docusign.com".into()))
        .max_lifetime(Duration::from_secs(3600))
        .algorithms(["RS256"])
        .require_claims(["iat", "scope"])
        // DocuSign's library sends none
        .reusable(true)
        .scope_claim(true);
    AuthorizationServer::builder()
        .token_endpoint_path("/oauth/token")
        .assertion_issuer(assertions)
}
