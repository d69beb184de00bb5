//! Microsoft Entra ID.

use std::time::Duration;

use crate::{AcceptedAudience, AssertionVerifier, AuthorizationServer, AuthorizationServerBuilder};

/// A tenant of Microsoft Entra ID (v2.0) whose application trusts the token of another issuer, such as the projected token
/// of a Kubernetes service account ([workload identity
/// federation](https://learn.microsoft.com/entra/workload-id/workload-identity-federation)). `trusted` has the key, the
/// [issuer](AssertionVerifier::issuer) and the [subject](AssertionVerifier::subject) of that token.
///
/// - The form has `client_id` and `scope`.
/// - `aud` is `api://AzureADTokenExchange`.
/// - The token may be used until it expires. The description of the denial then begins with `AADSTS700024`.
///
/// A token is valid for 3599 s.
///
/// ```
/// # async fn example(cluster_key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use auth_testing::{AssertionVerifier, VerificationKey, provider};
///
/// let trusted = AssertionVerifier::new(VerificationKey::from_pem(cluster_key)?)
///     .issuer("https://oidc.prod-aks.azure.com/cluster/")
///     .subject("system:serviceaccount:shop:orders");
/// let server = provider::entra("tenant-id", "application-id", trusted).start().await?;
/// # Ok(())
/// # }
/// ```
pub fn entra(
    tenant: &str,
    client_id: impl Into<String>,
    trusted: AssertionVerifier,
) -> AuthorizationServerBuilder {
    let assertions = trusted
        .audience(AcceptedAudience::Text("api://AzureADTokenExchange".into()))
        .max_lifetime(Duration::from_secs(24 * 3600))
        .expiry_code("AADSTS700024")
        .reusable(true);
    AuthorizationServer::builder()
        .issuer_path(format!("/{tenant}/v2.0"))
        .token_endpoint_path(format!("/{tenant}/oauth2/v2.0/token"))
        .token_lifetime(Duration::from_secs(3599))
        .require_parameters(["client_id", "scope"])
        .client_with_assertion(client_id, assertions)
}
