//! Exchanges a refresh token, and saves the new one: one exchange at a time, each of which is finished.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
};

use super::refresh_token_store::RefreshTokenStore;
use crate::{
    Error, ErrorKind, Form, SecretString, TokenEndpoint, TokenRequest, TokenResponse,
    attempt_time::AttemptTime, panics::catch_panic, time::Now, token_endpoint::REFRESH_TOKEN,
    version::Version,
};

/// How much longer than its attempt an exchange may take.
const LATE: Duration = Duration::from_secs(20);
/// The time of an attempt outside a cache.
const DEFAULT_ATTEMPT: Duration = Duration::from_secs(10);
/// How the texts of errors begin.
const PLACE: &str = "refresh token";

/// The refresh token of one user: where it is kept, and its exchanges.
pub(super) struct Rotation {
    endpoint: TokenEndpoint,
    store: Box<dyn RefreshTokenStore>,
    state: Mutex<State>,
}

/// Locked for an instant.
#[derive(Default)]
struct State {
    in_flight: Option<InFlight>,
    unsaved: Option<Unsaved>,
    kept: Option<Kept>,
}

struct InFlight {
    /// Closed when the exchange has finished, or was dropped with its runtime.
    finished: watch::Receiver<()>,
    /// The time after which it counts as lost: its runtime may not be driven.
    ends_at: Duration,
}

/// A refresh token that could not be saved.
struct Unsaved {
    token: SecretString,
    /// The version of the token that was exchanged for it.
    replaces: Version,
}

/// A response that could not be handed out: its refresh token was not saved, or its caller was gone.
struct Kept {
    request: TokenRequest,
    response: TokenResponse,
    requested_at: Now,
}

/// Whether this caller runs the next exchange.
enum Begun {
    Exchange(watch::Sender<()>),
    Wait(InFlight),
}

impl Rotation {
    pub(super) fn new(endpoint: TokenEndpoint, store: impl RefreshTokenStore) -> Self {
        Self {
            endpoint,
            store: Box::new(store),
            state: Mutex::default(),
        }
    }

    pub(super) fn endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    /// Returns the form that presents `token`.
    pub(super) fn form(token: impl Into<SecretString>) -> Form {
        Form::new(REFRESH_TOKEN).field("refresh_token", token)
    }

    /// Exchanges the refresh token, after the exchange in flight if there is one.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        request: TokenRequest,
    ) -> Result<TokenResponse, Error> {
        let runtime = Handle::try_current().map_err(|outside| {
            Error::new(
                ErrorKind::NoRuntime,
                "a refresh token can only be exchanged within a tokio runtime, got a call outside; call \
                 this from a task of a tokio runtime",
            )
            .with_source(outside)
        })?;
        let time = AttemptTime::current().extended(LATE, DEFAULT_ATTEMPT);
        let finished = loop {
            match self.begin(&time) {
                Begun::Exchange(finished) => break finished,
                Begun::Wait(mut other) => {
                    let finished = other.finished.changed();
                    let _ = time.clock().before(other.ends_at, finished).await;
                }
            }
        };
        let (sender, outcome) = oneshot::channel();
        let rotation = Arc::clone(self);
        let exchange = async move {
            let requested_at = AttemptTime::current().clock().now();
            let run = rotation.run(&request, requested_at);
            let panicked = "the token request panicked";
            let result = catch_panic(ErrorKind::Panicked, panicked, rotation.in_time(run)).await;
            if let Err(Ok(response)) = sender.send(result.and_then(|result| result)) {
                rotation.keep(request, response, requested_at);
            }
            drop(finished);
        };
        runtime.spawn(time.scope(exchange));
        outcome.await.unwrap_or_else(|_dropped| {
            Err(Error::new(
                ErrorKind::NoRuntime,
                "the tokio runtime ended before the refresh token was exchanged; keep it running",
            ))
        })
    }

    /// Returns whether the store has another refresh token than the one that was denied, or the
    /// client's credentials have changed.
    pub(super) async fn credentials_changed(&self) -> bool {
        match self.load().await {
            Ok(token) => {
                let version = Version::of(token.expose());
                self.endpoint.presented_changed(version).await
            }
            Err(_) => false,
        }
    }

    /// Enters an exchange, unless one is in flight.
    fn begin(&self, time: &AttemptTime) -> Begun {
        let now = time.clock().now().monotonic;
        let mut state = self.state();
        if let Some(InFlight { finished, ends_at }) = &state.in_flight
            && finished.has_changed().is_ok()
            && now < *ends_at
        {
            return Begun::Wait(InFlight {
                finished: finished.clone(),
                ends_at: *ends_at,
            });
        }
        let (sender, finished) = watch::channel(());
        let ends_at = now.saturating_add(time.left(now));
        state.in_flight = Some(InFlight { finished, ends_at });
        Begun::Exchange(sender)
    }

    /// Runs an exchange in the time that it has.
    async fn in_time<T>(&self, run: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let time = AttemptTime::current();
        let now = time.clock().now().monotonic;
        let end = now.saturating_add(time.left(now));
        time.clock().before(end, run).await.unwrap_or_else(|| {
            Err(Error::new(
                ErrorKind::Timeout,
                "the exchange of the refresh token has not finished 20 s after the attempt timeout",
            ))
        })
    }

    async fn run(&self, request: &TokenRequest, requested_at: Now) -> Result<TokenResponse, Error> {
        let loaded = self
            .load()
            .await
            .inspect_err(|_| self.endpoint.not_presented())?;
        let current = self.save_unsaved(loaded).await?;
        if let Some(response) = self.take_kept(request, requested_at) {
            return Ok(response);
        }
        let version = Version::of(current.expose());
        let form = Self::form(current.clone()).presents(version);
        let response = self.endpoint.request(&form, request).await?;
        let next = response.refresh_token();
        if let Some(next) = next.filter(|next| next.expose() != current.expose()) {
            self.state().unsaved = Some(Unsaved {
                token: next.clone(),
                replaces: version,
            });
            if let Err(error) = self.save(next).await {
                self.keep(
                    request.clone(),
                    response.without_refresh_token(),
                    requested_at,
                );
                return Err(error);
            }
        }
        Ok(response.without_refresh_token())
    }

    async fn load(&self) -> Result<SecretString, Error> {
        let token = self.endpoint.bounded(PLACE, self.store.load()).await?;
        let text = token.expose();
        if text.is_empty() || !text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
            return Err(Error::configuration(
                "refresh token: expected visible ASCII (RFC 6749 appendix A.17) from load(), got another \
                 text or an empty one",
            ));
        }
        Ok(token)
    }

    /// Saves a refresh token that could not be saved before, unless the store holds another token by
    /// now than the one that it replaces. Returns the current one.
    async fn save_unsaved(&self, loaded: SecretString) -> Result<SecretString, Error> {
        let unsaved = {
            let mut state = self.state();
            let State { unsaved, kept, .. } = &mut *state;
            let is_current =
                |unsaved: &mut Unsaved| unsaved.replaces == Version::of(loaded.expose());
            let current = unsaved.take_if(is_current);
            match (current, unsaved.take()) {
                (Some(current), _) => {
                    let token = current.token.clone();
                    *unsaved = Some(current);
                    Some(token)
                }
                // the user has authorized the client again, or another process has saved a token
                (None, Some(old)) if old.token.expose() != loaded.expose() => {
                    *kept = None;
                    None
                }
                (None, _) => None,
            }
        };
        match unsaved {
            Some(token) => self.save(&token).await.map(|()| token),
            None => Ok(loaded),
        }
    }

    async fn save(&self, token: &SecretString) -> Result<(), Error> {
        let saved = self
            .endpoint
            .bounded("save()", self.store.save(token))
            .await;
        saved.map_err(|error| {
            // each attempt to save the token counts
            error.transient().at(
                "refresh token: the new one was not saved; it is kept in memory, the next attempt saves \
                 it, and the new access token is not handed out before",
            )
        })?;
        self.state().unsaved = None;
        Ok(())
    }

    fn keep(&self, request: TokenRequest, response: TokenResponse, requested_at: Now) {
        self.state().kept = Some(Kept {
            request,
            response,
            requested_at,
        });
    }

    /// Returns the kept response to `request`, while half of its lifetime remains.
    fn take_kept(&self, request: &TokenRequest, now: Now) -> Option<TokenResponse> {
        let kept = self.state().kept.take()?;
        let Kept {
            request: requested,
            mut response,
            requested_at: Now { monotonic, wall },
        } = kept;
        let age = now.monotonic.saturating_sub(monotonic);
        let age = age.max(now.wall.saturating_sub(wall));
        let is_young = response.expires_in().is_some_and(|life| age <= life / 2);
        response.age = age;
        (requested == *request && is_young).then_some(response)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("endpoint", &self.endpoint)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
