//! Keycloak.

use std::time::Duration;

use crate::{AcceptedAudience, AssertionVerifier, AuthorizationServer, AuthorizationServerBuilder};

/// A realm of Keycloak whose client authenticates by the token of another issuer, such as the projected token of a
/// Kubernetes service account. `trusted` has the key, the [issuer](AssertionVerifier::issuer) and the
/// [subject](AssertionVerifier::subject) of that token.
///
/// - `aud` is the issuer of the realm, `http://127.0.0.1:PORT/realms/REALM`.
/// - The token may be used until it expires.
///
/// The form need not name the client.
///
/// ```
/// # async fn example(cluster_key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use auth_testing::{AssertionVerifier, VerificationKey, provider};
///
/// let trusted = AssertionVerifier::new(VerificationKey::from_pem(cluster_key)?)
///     .issuer("https://kubernetes.default.svc.cluster.local")
///     .subject("system:serviceaccount:shop:orders");
/// let server = provider::keycloak("shop", "orders", trusted).start().await?;
/// # Ok(())
/// # }
/// ```
pub fn keycloak(
    realm: &str,
    client_id: impl Into<String>,
    trusted: AssertionVerifier,
) -> AuthorizationServerBuilder {
    let assertions = trusted
        .audience(AcceptedAudience::Issuer)
        .max_lifetime(Duration::from_secs(24 * 3600))
        .reusable(true);
    AuthorizationServer::builder()
        .issuer_path(format!("/realms/{realm}"))
        .token_endpoint_path(format!("/realms/{realm}/protocol/openid-connect/token"))
        .client_with_assertion(client_id, assertions)
}
