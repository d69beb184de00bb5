//! HelseID.

use std::time::Duration;

use crate::{
    AcceptedAudience, AssertionVerifier, AuthorizationServer, AuthorizationServerBuilder,
    VerificationKey,
};

/// HelseID of Norsk helsenett, with one client: `private_key_jwt`, as HelseID's own library sends it.
///
/// - The form has `client_id`.
/// - The header `typ` is `client-authentication+jwt`, and there is `kid`.
/// - `aud` is the issuer, and there are `iat`, `nbf` and `jti`. `authorization_details` may name organizations.
///
/// A token is valid for 60 s. HelseID binds it to a key of DPoP, which this server does not demand.
///
/// ```
/// # async fn example(jwk: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use auth_testing::{VerificationKey, provider};
///
/// let server = provider::helseid("my-client", VerificationKey::from_jwk(jwk)?).start().await?;
/// assert!(server.token_endpoint().ends_with("/connect/token"));
/// # Ok(())
/// # }
/// ```
pub fn helseid(client_id: impl Into<String>, key: VerificationKey) -> AuthorizationServerBuilder {
    let assertions = AssertionVerifier::new(key)
        .audience(AcceptedAudience::Issuer)
        .typ("client-authentication+jwt")
        .require_header(["kid"])
        .require_claims(["iat", "nbf"]);
    AuthorizationServer::builder()
        .token_endpoint_path("/connect/token")
        .token_lifetime(Duration::from_secs(60))
        .require_parameters(["client_id"])
        .client_with_assertion(client_id, assertions)
}
