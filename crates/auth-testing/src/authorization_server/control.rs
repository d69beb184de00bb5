//! What a test tells a running authorization server.

use std::time::Duration;

use super::AuthorizationServer;
use crate::{Fault, issued_tokens::scopes, lock::lock};

impl AuthorizationServer {
    /// Registers a client, or gives one a new secret.
    pub fn set_client(&self, id: impl Into<String>, secret: impl Into<String>) {
        lock(&self.state.endpoint.clients).insert(id.into(), secret.into());
    }

    /// Forgets a client: from now on it is `invalid_client`. Its tokens stay active.
    pub fn remove_client(&self, id: &str) {
        lock(&self.state.endpoint.clients).remove(id);
    }

    /// How long the tokens issued from now on last.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        *lock(&self.state.endpoint.lifetime) = lifetime;
    }

    /// How long every token request waits before it is answered; zero by default.
    ///
    /// It is slept on the server's [clock](super::AuthorizationServerBuilder::clock).
    pub fn set_latency(&self, latency: Duration) {
        self.state.traffic.set_latency(latency);
    }

    /// Closes the gate: token requests that arrive from now on wait until [`release`](Self::release).
    ///
    /// With [`until_token_requests`](Self::until_token_requests) a test knows that they wait.
    pub fn hold(&self) {
        self.state.traffic.gate.close();
    }

    /// Opens the gate: those who wait go on, in no particular order, and nobody waits any more.
    pub fn release(&self) {
        self.state.traffic.gate.open();
    }

    /// Answers the next `times` token requests with this fault. Faults given earlier come first.
    /// Those that wait at the gate have not met theirs yet.
    pub fn fail_next(&self, times: usize, fault: impl Into<Fault>) {
        self.state.faults.next(times, fault.into());
    }

    /// Answers every token request with this fault, after those of [`fail_next`](Self::fail_next),
    /// until [`recover`](Self::recover).
    pub fn fail_all(&self, fault: impl Into<Fault>) {
        self.state.faults.always(fault.into());
    }

    /// Takes back all faults. Requests that hang already go on hanging.
    pub fn recover(&self) {
        self.state.faults.clear();
    }

    /// Issues a token of this space-delimited scope without a token request, for tests of an API
    /// alone. It counts as [issued](Self::tokens_issued).
    #[must_use]
    pub fn issue_token(&self, scope: &str) -> String {
        let lifetime = *lock(&self.state.endpoint.lifetime);
        self.tokens().issue(lifetime, scopes(scope))
    }

    /// Revokes a token. An unknown one is no error.
    pub fn revoke(&self, token: &str) {
        self.tokens().revoke(token);
    }

    /// Revokes every token issued so far.
    pub fn revoke_all(&self) {
        self.tokens().revoke_all();
    }
}
