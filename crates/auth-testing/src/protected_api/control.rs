//! Controls of a running API.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use http::HeaderValue;

use super::{api::ProtectedApi, protected_resource::Step};
use crate::{fault::Fault, issued_tokens::scopes, sync::lock};

impl ProtectedApi {
    /// Sets the scopes that a token needs, separated by spaces. Default: `""`, every active token is
    /// accepted.
    pub fn require_scope(&self, scope: &str) {
        *lock(&self.resource.required) = scopes(scope);
    }

    /// Sets how long every request waits before its response. Default: zero.
    ///
    /// The wait is on the authorization server's [clock](crate::AuthorizationServerBuilder::clock).
    pub fn set_latency(&self, latency: Duration) {
        self.resource.traffic.set_latency(latency);
    }

    /// Closes the gate: requests that arrive from now on wait until [`release`](Self::release). Their
    /// tokens are checked after it.
    ///
    /// [`until_requests`](Self::until_requests) returns when they have arrived.
    pub fn hold(&self) {
        self.resource.traffic.gate.close();
    }

    /// Opens the gate. The requests that wait continue, in no particular order.
    pub fn release(&self) {
        self.resource.traffic.gate.open();
    }

    /// Rejects the next `times` requests as `invalid_token`, even with an active token, after the
    /// rejections and faults of earlier calls.
    pub fn reject_next(&self, times: usize) {
        self.resource.script.next(times, Step::Reject);
    }

    /// Rejects every request as `invalid_token` until [`recover`](Self::recover). Replaces
    /// [`fail_all`](Self::fail_all). Outcomes of [`reject_next`](Self::reject_next) and
    /// [`fail_next`](Self::fail_next) come first.
    pub fn reject_all(&self) {
        self.resource.script.always(Step::Reject);
    }

    /// Makes `fault` the outcome of the next `times` requests, after the rejections and faults of
    /// earlier calls.
    pub fn fail_next(&self, times: usize, fault: impl Into<Fault>) {
        self.resource.script.next(times, Step::Fail(fault.into()));
    }

    /// Makes `fault` the outcome of every request until [`recover`](Self::recover). Replaces
    /// [`reject_all`](Self::reject_all). Outcomes of [`reject_next`](Self::reject_next) and
    /// [`fail_next`](Self::fail_next) come first.
    pub fn fail_all(&self, fault: impl Into<Fault>) {
        self.resource.script.always(Step::Fail(fault.into()));
    }

    /// Sets the nonce that each proof has to have from now on
    /// ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)). A request whose proof has another
    /// one is rejected (`use_dpop_nonce`). Every response to a request with a `DPoP` token has it.
    pub fn demand_nonce(&self, nonce: HeaderValue) {
        self.resource.proofs.demand_nonce(Some(nonce));
    }

    /// Removes all rejections and faults. A request that already hangs stays unanswered.
    pub fn recover(&self) {
        self.resource.script.clear();
    }

    /// Sets whether a rejection or a fault comes before the body is read, as from a server that
    /// avoids a useless upload. Default: `false`, after the body is read. gRPC requests are always
    /// rejected early.
    pub fn reject_early(&self, early: bool) {
        self.resource.reject_early.store(early, Relaxed);
    }
}
