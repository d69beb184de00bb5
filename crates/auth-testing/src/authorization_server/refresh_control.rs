//! Refresh tokens of an authorization server.

use super::server::AuthorizationServer;
use crate::issued_tokens::scopes;

impl AuthorizationServer {
    /// Issues a refresh token to a client, as after the authorization by a user. `scope` holds the scopes that
    /// the user granted, separated by spaces.
    ///
    /// Each token request by a refresh token returns another one
    /// ([`rotate_refresh_tokens`](crate::AuthorizationServerBuilder::rotate_refresh_tokens)). If a token is
    /// presented a second time, the server revokes its family: all refresh tokens and access tokens that follow from
    /// the same call of this function ([RFC 9700
    /// §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2)).
    ///
    /// ```
    /// # async fn example() -> std::io::Result<()> {
    /// use auth_testing::AuthorizationServer;
    ///
    /// let server = AuthorizationServer::builder().client("client", "secret").start().await?;
    /// let refresh_token = server.issue_refresh_token("client", "read write");
    /// assert!(server.is_active_refresh_token(&refresh_token));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn issue_refresh_token(&self, client: &str, scope: &str) -> String {
        let tokens = &self.state.endpoint.refresh_tokens;
        tokens.issue(client, scopes(scope))
    }

    /// Returns whether this server issued the refresh token, and it is neither used nor revoked.
    #[must_use]
    pub fn is_active_refresh_token(&self, token: &str) -> bool {
        self.state.endpoint.refresh_tokens.is_active(token)
    }

    /// Revokes the family of a refresh token, as a user does who withdraws an authorization. Does nothing if the server did
    /// not issue it.
    pub fn revoke_refresh_token(&self, token: &str) {
        let endpoint = &self.state.endpoint;
        if let Some((_, family)) = endpoint.refresh_tokens.owner_of(token) {
            endpoint.refresh_tokens.revoke_family(family);
            endpoint.tokens.revoke_family(family);
        }
    }

    /// Returns how often a refresh token was presented that had been used before.
    #[must_use]
    pub fn refresh_token_reuses(&self) -> usize {
        self.state.endpoint.refresh_tokens.reuses()
    }
}
