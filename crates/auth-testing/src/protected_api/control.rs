//! What a test tells a running API.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use super::{ProtectedApi, resource::Step};
use crate::{Fault, issued_tokens::scopes, lock::lock};

impl ProtectedApi {
    /// Wants a token with these space-delimited scopes from now on; with `""`, the default, any
    /// active token will do.
    pub fn require_scope(&self, scope: &str) {
        *lock(&self.state.required) = scopes(scope);
    }

    /// How long every request waits before it is answered; zero by default.
    ///
    /// It is slept on the clock of the authorization server.
    pub fn set_latency(&self, latency: Duration) {
        self.state.traffic.set_latency(latency);
    }

    /// Closes the gate: requests that arrive from now on wait, their tokens not checked yet, until
    /// [`release`](Self::release).
    ///
    /// With [`until_requests`](Self::until_requests) a test knows that they wait.
    pub fn hold(&self) {
        self.state.traffic.gate.close();
    }

    /// Opens the gate: those who wait go on, in no particular order, and nobody waits any more.
    pub fn release(&self) {
        self.state.traffic.gate.open();
    }

    /// Refuses the next `times` requests as `invalid_token`, whatever token they carry. Refusals
    /// and faults given earlier come first.
    pub fn refuse_next(&self, times: usize) {
        self.state.script.next(times, Step::Refuse);
    }

    /// Refuses every request as `invalid_token` until [`recover`](Self::recover), after those of
    /// [`refuse_next`](Self::refuse_next) and [`fail_next`](Self::fail_next). It replaces
    /// [`fail_all`](Self::fail_all).
    pub fn refuse_all(&self) {
        self.state.script.always(Step::Refuse);
    }

    /// Answers the next `times` requests with this fault. Refusals and faults given earlier come
    /// first.
    pub fn fail_next(&self, times: usize, fault: impl Into<Fault>) {
        self.state.script.next(times, Step::Fail(fault.into()));
    }

    /// Answers every request with this fault until [`recover`](Self::recover), after those of
    /// [`refuse_next`](Self::refuse_next) and [`fail_next`](Self::fail_next). It replaces
    /// [`refuse_all`](Self::refuse_all).
    pub fn fail_all(&self, fault: impl Into<Fault>) {
        self.state.script.always(Step::Fail(fault.into()));
    }

    /// Takes back all refusals and faults. Requests that hang already go on hanging.
    pub fn recover(&self) {
        self.state.script.clear();
    }

    /// Whether a request is refused, or fails, as soon as its head has arrived, its body unread, as
    /// servers do that do not want the upload; by default the body is read first. gRPC requests
    /// are always refused early.
    pub fn refuse_early(&self, early: bool) {
        self.state.refuse_early.store(early, Relaxed);
    }
}
