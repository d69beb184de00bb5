//! Maskinporten.

use std::time::Duration;

use crate::{
    AcceptedAudience, AssertionVerifier, AuthorizationServer, AuthorizationServerBuilder,
    VerificationKey,
};

/// Maskinporten, with one registered integration: the grant is an assertion, and the client has no other
/// authentication ([documentation](https://docs.digdir.no/docs/Maskinporten/maskinporten_protocol_jwtgrant)).
///
/// - `aud` is the issuer, which ends with a slash, as a text.
/// - `exp` is at most 120 s after `iat`, `iat` at most 10 s from now, and no `jti` is used twice.
/// - The algorithm is RS256, RS384 or RS512, and the header has `kid` or `x5c`.
/// - `scope` is a claim, and so are `resource`, which is a list, `consumer_org`, `iss_onbehalfof`, `pid` and
///   `authorization_details`. Another claim is denied.
///
/// A token is valid for 599 s.
///
/// ```
/// # async fn example(public_key: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use auth_testing::{VerificationKey, provider};
///
/// let key = VerificationKey::from_pem(public_key)?;
/// let server = provider::maskinporten("my-integration", key).start().await?;
/// # Ok(())
/// # }
/// ```
pub fn maskinporten(
    client_id: impl Into<String>,
    key: VerificationKey,
) -> AuthorizationServerBuilder {
    let assertions = AssertionVerifier::new(key)
        .issuer(client_id)
        .audience(AcceptedAudience::Issuer)
        .single_audience(true)
        .max_lifetime(Duration::from_secs(120))
        .max_age(Duration::from_secs(10))
        .algorithms(["RS256", "RS384", "RS512"])
        .require_header(["kid", "x5c"])
        .require_claims(["iat", "jti", "scope"])
        .only_claims([
            "authorization_details",
            "consumer_org",
            "iss_onbehalfof",
            "pid",
            "resource",
            "scope",
        ])
        .list_claims(["resource"])
        .scope_claim(true);
    AuthorizationServer::builder()
        .issuer_path("/")
        .token_lifetime(Duration::from_secs(599))
        .assertion_issuer(assertions)
}
