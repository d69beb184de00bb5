//! A process whose first token lives for less.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use auth_core::{Error, SharedKey, TokenRequest, TokenResponse, TokenSource, async_trait};

use super::authorization_server::AuthorizationServer;

/// The authorization server as one process sees it.
#[derive(Debug)]
pub(super) struct Newcomer {
    server: Arc<AuthorizationServer>,
    least_share: f64,
    has_one: AtomicBool,
}

impl Newcomer {
    pub(super) fn new(server: &Arc<AuthorizationServer>, least_share: f64) -> Self {
        Self {
            server: Arc::clone(server),
            least_share,
            has_one: AtomicBool::new(false),
        }
    }
}

#[async_trait]
impl TokenSource for Newcomer {
    async fn fetch(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        let response = self.server.fetch(request).await?;
        if self.has_one.swap(true, Relaxed) {
            return Ok(response);
        }
        let share = self.least_share + (1.0 - self.least_share) * fastrand::f64();
        Ok(response.expires_in(self.server.lifetime().mul_f64(share)))
    }

    fn shared_key(&self, request: &TokenRequest) -> Option<SharedKey> {
        self.server.shared_key(request)
    }
}
