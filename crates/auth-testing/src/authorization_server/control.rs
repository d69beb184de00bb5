//! Controls of a running authorization server.

use std::time::Duration;

use auth_core::AccessTokenType;
use http::HeaderValue;

use super::{client::RegisteredClient, server::AuthorizationServer};
use crate::{fault::Fault, issued_tokens::scopes, sync::lock};

impl AuthorizationServer {
    /// Registers a client, or replaces the secret of one.
    pub fn set_client(&self, id: impl Into<String>, secret: impl Into<String>) {
        let client = RegisteredClient::Secret(secret.into());
        lock(&self.state.endpoint.clients).insert(id.into(), client);
    }

    /// Removes a client. Its token requests are denied from now on (`invalid_client`). Its tokens
    /// stay active.
    pub fn remove_client(&self, id: &str) {
        lock(&self.state.endpoint.clients).remove(id);
    }

    /// Sets the lifetime of the tokens that are issued from now on.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        *lock(&self.state.endpoint.lifetime) = lifetime;
    }

    /// Sets how long every token request waits before its response. Default: zero.
    ///
    /// The wait is on the server's [clock](crate::AuthorizationServerBuilder::clock).
    pub fn set_latency(&self, latency: Duration) {
        self.state.traffic.set_latency(latency);
    }

    /// Closes the gate: token requests that arrive from now on wait until
    /// [`release`](Self::release).
    ///
    /// [`until_token_requests`](Self::until_token_requests) returns when they have arrived.
    pub fn hold(&self) {
        self.state.traffic.gate.close();
    }

    /// Opens the gate. The requests that wait continue, in no particular order.
    pub fn release(&self) {
        self.state.traffic.gate.open();
    }

    /// Makes `fault` the outcome of the next `times` token requests, after the faults of earlier
    /// calls. A token request takes its fault when it has passed the gate and the latency.
    pub fn fail_next(&self, times: usize, fault: impl Into<Fault>) {
        self.state.faults.next(times, fault.into());
    }

    /// Makes `fault` the outcome of every token request until [`recover`](Self::recover). Faults of
    /// [`fail_next`](Self::fail_next) come first.
    pub fn fail_all(&self, fault: impl Into<Fault>) {
        self.state.faults.always(fault.into());
    }

    /// Sets the nonce that each proof has to have from now on
    /// ([RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)). A token request whose proof has
    /// another one is denied (`use_dpop_nonce`). Every response to a token request with a proof has it.
    pub fn demand_nonce(&self, nonce: HeaderValue) {
        self.state.endpoint.proofs.demand_nonce(Some(nonce));
    }

    /// Removes all faults, also those of the metadata and of revocations. A request that already hangs stays unanswered.
    pub fn recover(&self) {
        self.state.metadata.faults.clear();
        self.state.revocation_faults.clear();
        self.state.faults.clear();
    }

    /// Issues a bearer token without a token request, for tests of an API alone. `scope` holds its scopes,
    /// separated by spaces. The token counts as [issued](Self::tokens_issued).
    #[must_use]
    pub fn issue_token(&self, scope: &str) -> String {
        let lifetime = *lock(&self.state.endpoint.lifetime);
        self.tokens()
            .issue(AccessTokenType::Bearer, lifetime, scopes(scope))
    }

    /// Revokes a token. Does nothing if the server did not issue it.
    pub fn revoke(&self, token: &str) {
        self.tokens().revoke(token);
    }

    /// Revokes every token that was issued so far.
    pub fn revoke_all(&self) {
        self.tokens().revoke_all();
    }
}
