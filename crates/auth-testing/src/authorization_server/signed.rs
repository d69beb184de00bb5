//! Clients and grants by signed assertions.

use super::{builder::AuthorizationServerBuilder, client::RegisteredClient};
use crate::assertion::AssertionVerifier;

/// Assertions, with the feature `jose`.
impl AuthorizationServerBuilder {
    /// Registers a client that authenticates by assertions ([RFC 7523
    /// §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)): `private_key_jwt`, `client_secret_jwt`, or the token of
    /// another issuer. A second call with the same id replaces the first.
    ///
    /// A denial is `invalid_client`, and its description says which part of the assertion was expected to
    /// be what.
    ///
    /// ```
    /// use auth_jose::{Algorithm, PrivateKeyJwt, Signer, SigningKey};
    /// use auth_testing::{
    ///     AssertionVerifier, AuthorizationServer, VerificationKey,
    ///     auth_core::{ClientAuthentication, ClientCredentials, HttpTransport, TokenCache},
    /// };
    ///
    /// async fn test(transport: impl HttpTransport) -> Result<(), Box<dyn std::error::Error>> {
    ///     let key = SigningKey::generate(Algorithm::Es256)?;
    ///     let public = key.public_jwk().ok_or("expected a public key")?.to_string();
    ///     let assertions = AssertionVerifier::new(VerificationKey::from_jwk(&public)?);
    ///     let server = AuthorizationServer::builder()
    ///         .client_with_assertion("my-client", assertions)
    ///         .start()
    ///         .await?;
    ///
    ///     let authentication = ClientAuthentication::client_assertion(PrivateKeyJwt::new(key)?);
    ///     let url = server.token_endpoint();
    ///     let grant = ClientCredentials::builder(url, "my-client", authentication).build(transport)?;
    ///     let token = TokenCache::new(grant).token().await?;
    ///     assert!(server.is_active(token.secret()));
    ///     Ok(())
    /// }
    /// ```
    pub fn client_with_assertion(
        self,
        id: impl Into<String>,
        assertions: AssertionVerifier,
    ) -> Self {
        let client = RegisteredClient::Assertion(Box::new(assertions));
        self.register(id.into(), client)
    }

    /// Permits the JWT bearer grant ([RFC 7523
    /// §2.1](https://www.rfc-editor.org/rfc/rfc7523#section-2.1)) with assertions of one
    /// [issuer](AssertionVerifier::issuer). Can be called once for each issuer. A denial is `invalid_grant`, and its
    /// description says why.
    ///
    /// ```
    /// # async fn example(public_key: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// use auth_testing::{AssertionVerifier, AuthorizationServer, VerificationKey};
    ///
    /// let assertions = AssertionVerifier::new(VerificationKey::from_pem(public_key)?)
    ///     .issuer("robot@project.example")
    ///     .scope_claim(true);
    /// let server = AuthorizationServer::builder().assertion_issuer(assertions).start().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn assertion_issuer(mut self, assertions: AssertionVerifier) -> Self {
        self.grant_issuers.push(assertions);
        self
    }

    /// Permits the exchange of tokens of another [issuer](AssertionVerifier::issuer) ([RFC
    /// 8693](https://www.rfc-editor.org/rfc/rfc8693)). Can be called once for each issuer. A denial is
    /// `invalid_request` (§2.2.2), and its description says why.
    pub fn subject_issuer(mut self, tokens: AssertionVerifier) -> Self {
        self.subject_issuers.push(tokens);
        self
    }
}
