//! Records the result of a fetch.

use std::{sync::Arc, time::Duration};

use super::{
    changes::Publisher,
    credential_looks::{LOOK_INTERVAL, may_depend_on_credentials},
    deadlines::Deadlines,
    denials::{Denial, Start},
    fetch::{Fetch, Fetched},
    inner::Inner,
    policy::{Life, Probation, RejectionKind},
    slot::CachedToken,
    state::{Failure, FetchedToken, Outcome, RefreshState},
    turns::is_slow_failure,
};
use crate::{
    AccessToken, Error, ErrorKind, TokenResponse,
    events::{self, FailedTokenRequest},
    time::Now,
};

/// The time for which other processes do not request a token after a denial.
const HOLD_BACK_AFTER_DENIAL: Duration = Duration::from_secs(1);

/// The effect of a fetch's result.
pub(super) struct Completion {
    pub(super) outcome: Outcome,
    /// The time of the next fetch, by the monotonic clock. `None` after an abandoned fetch.
    pub(super) next: Option<Duration>,
    /// The time after which the token endpoint is asked again, if it returned an old token once more.
    reissued_for: Option<Duration>,
    /// Whether there is a usable token.
    has_usable_token: bool,
    /// Whether another process had requested the token.
    from_store: bool,
    /// Whether a token was requested, or loaded from the store. A fetch may end in the queue.
    has_run: bool,
    /// Publishes the token.
    changes: Option<Publisher>,
}

/// A fetch whose result is being recorded, under the lock.
struct Completing<'a> {
    cache: &'a Arc<Inner>,
    state: &'a mut RefreshState,
    now: Now,
    /// Whether this fetch started last. The result of an abandoned fetch does not change the cache.
    is_last: bool,
    from_store: bool,
    /// The jitter of the token, in 0–1.
    draw: f64,
    /// The state of the client when the token request was sent, if one was.
    sent: Option<Start>,
    /// The time after which the token endpoint is asked again, if it returned an old token once more.
    reissued_for: Option<Duration>,
    /// The denial of the client, if it was denied.
    denial: Option<Denial>,
}

impl Inner {
    /// Records the result of a fetch. Returns `None`, and records nothing, if it is a token from the
    /// store that has expired in the meantime: the fetch then goes on.
    ///
    /// No user code runs under the lock: neither a source nor a subscriber of events.
    pub(super) fn complete(
        self: &Arc<Self>,
        fetched: Fetched,
        fetch: &Fetch,
    ) -> Option<Completion> {
        let number = fetch.number;
        let Fetched {
            requested_at,
            result,
            from_store,
        } = fetched;
        let sent = fetch.sent().filter(|_| !from_store);
        let denial = sent.and_then(|sent| self.tell_client(sent, result.as_ref().err()));
        let now = self.clock.now();
        if from_store && let Ok(response) = &result {
            let life = self.life(requested_at, now, response, fetch.draw);
            if has_expired(&life, now) {
                return None;
            }
            self.client.loaded();
        }
        let mut state = self.state();
        let is_last = state.is_last(number);
        state.tokens_from_store += u64::from(from_store);
        let mut completing = Completing {
            cache: self,
            state: &mut state,
            now,
            is_last,
            from_store,
            draw: fetch.draw,
            sent,
            reissued_for: None,
            denial,
        };
        let (outcome, next) = match result {
            Ok(response) => completing.token(requested_at, response),
            Err(error) => completing.failure(error),
        };
        let reissued_for = completing.reissued_for;
        state.finish(number, self.settings().keep_warm);
        Some(Completion {
            outcome,
            reissued_for,
            next: is_last.then_some(next),
            has_usable_token: self.slot.usable_for(now).is_some(),
            from_store,
            has_run: from_store || sent.is_some(),
            changes: state.changes.clone().filter(|_| is_last),
        })
    }

    /// Returns the life of a token that was received by `now`. `draw` is its jitter.
    fn life(&self, requested_at: Now, now: Now, response: &TokenResponse, draw: f64) -> Life {
        let (lifetime, age) = (response.expires_in(), response.age);
        self.settings()
            .policy
            .life(requested_at, now, lifetime, age, draw)
    }

    /// Records the result of a token request for all caches of the source. Returns the denial of the
    /// client, if it was denied.
    fn tell_client(&self, sent: Start, error: Option<&Error>) -> Option<Denial> {
        match error {
            Some(denial) if denial.denies_client() => {
                let failure = |state: &RefreshState| state.failure.as_ref()?.denied_request;
                let before = failure(&self.state());
                let policy = &self.settings().policy;
                Some(self.client.denied(sent, denial, policy, before))
            }
            _ => {
                self.client.answered(sent, error);
                None
            }
        }
    }
}

/// Returns whether a token that was received has expired already: the machine may have been suspended
/// meanwhile. A token that was issued for the fetch is handed out nevertheless.
fn has_expired(life: &Life, now: Now) -> bool {
    life.received_expired || now.reached(life.usable_until)
}

impl Completing<'_> {
    fn token(&mut self, requested_at: Now, response: TokenResponse) -> (Outcome, Duration) {
        let (cache, now) = (self.cache, self.now);
        let life = cache.life(requested_at, now, &response, self.draw);
        let cause = self.state.replaces_rejected().filter(|_| self.is_last);
        let replaces_rejected = cause.is_some();
        let is_worse = has_expired(&life, now)
            && !replaces_rejected
            && cache.slot.usable_for(now) > Some(life.usable_for(now));
        if is_worse {
            return self.failure(Error::new(
                ErrorKind::InvalidResponse,
                "expected a token that expires later than the current one, got one that expires \
                 sooner; the current token stays in use",
            )
            // the current token may end before the backoff of a denial does
            .transient());
        }
        self.state.tokens_received += 1;
        let credentials = match self.sent {
            Some(sent) => sent.credentials,
            None => cache.client.credentials(),
        };
        self.state.proof = Some(credentials);
        let probation = cause.map(|cause| self.probation(&response, cause));
        let generation = self.generation(&response);
        let requested = cache.request.scopes();
        let token = AccessToken::new(response, generation, life.expires_at, requested);
        if self.is_last {
            let store_replacements = match replaces_rejected && self.from_store {
                true => cache
                    .slot
                    .current(CachedToken::unaccepted_store_replacements)
                    .unwrap_or_default()
                    .saturating_add(1),
                false => 0,
            };
            let issued = cache.issue(token.clone());
            let cached = CachedToken::new(
                issued,
                Deadlines::from(&life),
                probation,
                store_replacements,
            );
            cache.slot.store(cached, now);
            self.state.failure = None;
            cache.next_refresh.clear();
        }
        let fetched = FetchedToken {
            token,
            usable_until: life.usable_until,
        };
        (Ok(fetched), life.stale_at.monotonic)
    }

    /// Returns the probation of a token that replaces a rejected one.
    ///
    /// The token may have been issued before the API revoked the rejected one, and have been revoked
    /// with it. Such a token is spared the probation of 30 s. If the API rejects every token, the next
    /// one is not.
    fn probation(&mut self, response: &TokenResponse, cause: RejectionKind) -> Probation {
        let (slot, now) = (&self.cache.slot, self.now);
        let header = &response.authorization;
        let is_current = slot.current(|cached| cached.token.original().header() == header);
        let is_spared = slot.current(CachedToken::is_spared) == Some(true);
        if is_current != Some(true) && !slot.was_replaced(header) {
            // a token from the store has been in use elsewhere since it was issued
            let since = now.monotonic.saturating_sub(response.age);
            return match self.may_be_older(since) && !is_spared {
                true => Probation::of_older_token(since, now.monotonic, cause, self.from_store),
                false => Probation::of_another_token(since, cause).after(is_spared),
            };
        }
        let before = slot.current(CachedToken::unaccepted_reissues);
        let reissues = before.unwrap_or_default().saturating_add(1);
        let policy = &self.cache.settings().policy;
        let wait = policy.backoff_without_token(reissues, fastrand::f64());
        self.reissued_for = Some(wait);
        let ends_at = now.monotonic.saturating_add(wait);
        Probation::of_old_token(ends_at, cause, reissues).after(is_spared)
    }

    /// Returns whether a token that was issued at `since` may be older than the revocation of the
    /// rejected token that it replaces.
    fn may_be_older(&self, since: Duration) -> bool {
        // an endpoint that rejects every token may have caused the fetch, before the revocation
        let was_accepted = self.cache.slot.current(CachedToken::was_accepted);
        let is_saved_before =
            self.from_store && self.state.rejected_at().is_some_and(|at| since < at);
        was_accepted == Some(true) || is_saved_before || self.state.is_joined_by_rejection()
    }

    /// Returns the token's generation. Some servers return the same token until it ends: its
    /// generation stays the same.
    fn generation(&mut self, response: &TokenResponse) -> u64 {
        let same = |cached: &CachedToken<super::Issued>| {
            let token = cached.token.original().token();
            (*token.header() == response.authorization).then(|| token.generation())
        };
        self.cache.slot.current(same).flatten().unwrap_or_else(|| {
            self.state.generation += 1;
            self.state.generation
        })
    }

    fn failure(&mut self, error: Error) -> (Outcome, Duration) {
        let (cache, now) = (self.cache, self.now);
        let before = self.state.failure.as_ref();
        let in_a_row = before.map_or(0, |before| before.in_a_row);
        let never_sent = self.sent.is_none() && !error.is_transient();
        let denied = match self.denial {
            Some(Denial::Client(denied)) => Some(denied),
            _ => None,
        };
        let is_excused = matches!(self.denial, Some(Denial::Cache))
            || before.is_some_and(|before| before.is_excused);
        let denied_request = match (self.sent, self.denial) {
            (Some(sent), Some(_)) => Some(sent.number),
            _ => before.and_then(|before| before.denied_request),
        };
        let (in_a_row, wait, wait_without_token) = match (denied, error.retry_after()) {
            (Some(denied), _) => {
                let in_a_row = in_a_row.saturating_add(1);
                let own = match is_excused {
                    true => {
                        cache
                            .settings()
                            .policy
                            .backoff(&error, in_a_row, None, fastrand::f64())
                    }
                    false => Duration::ZERO,
                };
                let wait = denied.next_attempt.saturating_sub(now.monotonic).max(own);
                (in_a_row, wait, wait)
            }
            // another cache of the source received this error: no token was requested
            (None, Some(wait)) if never_sent => (in_a_row, wait, wait),
            (None, _) => {
                let in_a_row = in_a_row.saturating_add(1);
                let usable_for = cache.slot.usable_for(now);
                let draw = fastrand::f64();
                let backoff = |usable_for| {
                    cache
                        .settings()
                        .policy
                        .backoff(&error, in_a_row, usable_for, draw)
                };
                (in_a_row, backoff(usable_for), backoff(None))
            }
        };
        let next_attempt = now.monotonic.saturating_add(wait);
        let error = error.with_next_attempt(wait);
        let mut next = next_attempt;
        let mut credentials = None;
        if let Some(denied) = denied {
            self.state.proof = None;
            self.state.denied_in = Some(denied.series);
        }
        let is_slow = match self.sent {
            Some(sent) => is_slow_failure(&error, now.monotonic.saturating_sub(sent.at)),
            None => self.state.failure.as_ref().is_some_and(|f| f.is_slow),
        };
        if may_depend_on_credentials(&error) {
            next = next.min(now.monotonic.saturating_add(LOOK_INTERVAL));
            credentials = self.sent.map(|sent| sent.credentials);
        }
        if self.is_last {
            cache.next_refresh.set(next);
            self.state.give_back_budget();
            self.state.failure = Some(Box::new(Failure {
                error: error.clone(),
                in_a_row,
                next_attempt,
                next_without_token: now.monotonic.saturating_add(wait_without_token),
                of_client: (denied.is_some() && !is_excused) || never_sent,
                is_slow,
                denied_request,
                is_excused,
                credentials,
            }));
        }
        (Err(error), next)
    }
}

impl Completion {
    /// Returns how long other processes should not request a token, because the fetch failed or
    /// brought the rejected token once more. After a denial this time is short: the denial may concern this process alone. A token that cannot
    /// be used concerns all of them.
    pub(super) fn hold_back(&self) -> Option<Duration> {
        let Err(error) = &self.outcome else {
            return self.reissued_for;
        };
        match error.is_transient() || error.kind() == ErrorKind::InvalidResponse {
            true => error.retry_after(),
            false => Some(HOLD_BACK_AFTER_DENIAL),
        }
    }

    /// Publishes the token to the receivers of changes.
    ///
    /// The sender is dropped here: a task that keeps the token warm must not keep the receivers open
    /// after the last handle of the cache.
    pub(super) fn publish(&mut self) {
        if let (Some(changes), Ok(fetched)) = (self.changes.take(), &self.outcome) {
            changes.publish(&fetched.token);
        }
    }

    /// Emits the event.
    pub(super) fn emit(&self) {
        match &self.outcome {
            // the event of the token request that was denied has been emitted
            Err(error) if !self.has_run && !error.is_transient() => {}
            Ok(fetched) => {
                let token = &fetched.token;
                events::token_received(
                    token.generation(),
                    token.expires_at(),
                    token.scopes(),
                    self.from_store,
                );
            }
            Err(error) => {
                let failed = FailedTokenRequest {
                    error,
                    kind: error.kind().as_str(),
                    status: error.status().map(|status| status.as_u16()),
                    error_code: error.error_code(),
                    next_attempt_in: error.retry_after(),
                };
                events::token_request_failed(&failed, self.has_usable_token);
            }
        }
    }
}
