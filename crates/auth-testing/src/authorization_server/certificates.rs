//! Clients with certificates.

use super::{builder::AuthorizationServerBuilder, client::RegisteredClient};
use crate::tls::TestAuthority;

/// TLS and client certificates ([RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)), with the feature `tls`.
impl AuthorizationServerBuilder {
    /// Makes the server, and each [`ProtectedApi`](crate::ProtectedApi) of it, speak TLS, with certificates of `authority`
    /// for `127.0.0.1` and `localhost`. A client may present a certificate of any issuer. Default: without TLS.
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use auth_testing::{AuthorizationServer, TestAuthority};
    ///
    /// let authority = TestAuthority::new()?;
    /// let server = AuthorizationServer::builder()
    ///     .tls(&authority)
    ///     .client_with_certificate("orders", "orders.example")
    ///     .start()
    ///     .await?;
    /// assert!(server.token_endpoint().starts_with("https://"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn tls(mut self, authority: &TestAuthority) -> Self {
        self.authority = Some(authority.clone());
        self
    }

    /// Registers a client that authenticates by a certificate of the authority with this DNS name
    /// (`tls_client_auth`, [RFC 8705 §2.1](https://www.rfc-editor.org/rfc/rfc8705#section-2.1)). The form names the client.
    pub fn client_with_certificate(
        self,
        id: impl Into<String>,
        dns_name: impl Into<String>,
    ) -> Self {
        self.register(id.into(), RegisteredClient::Certificate(dns_name.into()))
    }

    /// Registers a client that authenticates by the certificate with this
    /// [thumbprint](crate::TestCertificate::thumbprint), of any issuer (`self_signed_tls_client_auth`, [RFC 8705
    /// §2.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.2)). The form names the client.
    pub fn client_with_self_signed_certificate(
        self,
        id: impl Into<String>,
        thumbprint: impl Into<String>,
    ) -> Self {
        let client = RegisteredClient::SelfSignedCertificate(thumbprint.into());
        self.register(id.into(), client)
    }

    /// Sets whether a token is bound to the certificate of its token request, if there is one ([RFC 8705
    /// §3](https://www.rfc-editor.org/rfc/rfc8705#section-3)). An API then rejects it (`invalid_token`) on a connection with
    /// another certificate, or with none. Default: `true`.
    pub fn bind_tokens_to_certificates(mut self, bind: bool) -> Self {
        self.bind_to_certificates = bind;
        self
    }
}
