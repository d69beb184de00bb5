//! Revokes the current token at the authorization server (RFC 7009), and drops it.

use std::{sync::Arc, time::Duration};

use super::{inner::Inner, runtime::Runtime, shared_store};
use crate::{
    AccessToken, Error, ErrorKind, attempt_time::AttemptTime, events, panics::catch_panic,
};

/// The minimum wait before a revocation is repeated.
const MIN_WAIT: Duration = Duration::from_secs(1);

impl Inner {
    /// Revokes the current token, if there is one. Afterwards the cache has none.
    pub(super) async fn revoke(self: &Arc<Self>) -> Result<(), Error> {
        // the deadlines need a timer
        Runtime::current()?;
        // a token that is saved after its revocation would be loaded by other processes
        self.flush().await;
        let token = self.slot.current(|cached| {
            let issued = cached.token.original();
            issued.token().clone()
        });
        let Some(token) = token else { return Ok(()) };
        let allowed = self.settings().policy.attempt(None);
        let deadline = self.clock.now().monotonic.saturating_add(allowed);
        if let Some(store) = &self.settings().store {
            shared_store::remove(self, store, &token, deadline).await;
        }
        let revoked = self.revoke_by(&token, deadline);
        let revoked = self.clock.before(deadline, revoked).await;
        revoked.unwrap_or_else(|| Err(timed_out(allowed)))?;
        self.drop_revoked(&token);
        events::token_revoked(token.generation());
        Ok(())
    }

    /// Revokes the token. Repeats a revocation whose connection failed once, and one that the server
    /// asks to repeat later, if that is before `deadline`.
    async fn revoke_by(&self, token: &AccessToken, deadline: Duration) -> Result<(), Error> {
        let mut has_reconnected = false;
        loop {
            let error = match self.call_revoke(token, deadline).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let now = self.clock.now().monotonic;
            match (error.kind(), error.server_retry_after()) {
                (ErrorKind::Connection, _) if !has_reconnected => has_reconnected = true,
                (ErrorKind::Unavailable, Some(wait)) => {
                    let again = now.saturating_add(wait.max(MIN_WAIT));
                    if again >= deadline {
                        return Err(error);
                    }
                    self.clock.sleep_until(again).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// Calls the source when polled, so that a panic of the call itself is caught as well.
    async fn call_revoke(&self, token: &AccessToken, deadline: Duration) -> Result<(), Error> {
        let attempt = AttemptTime::new(self.clock.clone(), deadline);
        let source = self.client.source();
        let revoked = attempt.scope(async { source.revoke(token).await });
        let panicked = "the token source panicked";
        catch_panic(ErrorKind::Panicked, panicked, revoked).await?
    }

    /// Drops the token, if it is still the current one, and keeps it from being loaded again. A cache
    /// that is kept warm requests the next one when a caller needs it.
    fn drop_revoked(&self, token: &AccessToken) {
        let now = self.clock.now();
        let mut state = self.state();
        if !self.slot.remove(token.header(), now) {
            return;
        }
        if state.unfinished().is_none() {
            state.abort();
            self.next_refresh.clear();
        }
    }
}

fn timed_out(allowed: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!(
            "the revocation received no response within {:.1} s, the attempt timeout; the token may still \
             be valid",
            allowed.as_secs_f64()
        ),
    )
}
