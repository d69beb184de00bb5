//! The connection of a store: opened at its first use, shared by all operations, replaced when lost.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use auth_core::{Error, ErrorKind};
use redis::{PushInfo, PushKind, RedisResult, Value};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    channels::Channels,
    connection::Connection,
    error,
    event_limits::EventLimits,
    events,
    server::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, OnPush, Server},
};

/// The backoff after the first failed attempt; it doubles with each further one.
const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(1);
/// An attempt may take this much longer than its timeout, since its runtime may be busy.
const GRACE: Duration = Duration::from_millis(500);

/// An open connection, and its number among the connections of the link.
#[derive(Clone)]
pub(crate) struct OpenConnection {
    pub(crate) connection: Connection,
    pub(crate) number: u64,
    since: Instant,
}

/// The reason why a connection is discarded.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Loss {
    /// The connection is broken, or the server does not answer.
    Broken,
    /// The server replied that it cannot serve the operation; another server may.
    ErrorReply,
}

/// The outcome of an attempt to connect; `None` while it is in flight.
type Attempt = watch::Receiver<Option<Result<OpenConnection, Error>>>;

enum State {
    Disconnected(Option<Backoff>),
    /// An attempt is in flight. It continues if its waiters are dropped.
    Connecting {
        attempt: Attempt,
        number: u64,
        since: Instant,
    },
    Connected(OpenConnection),
}

/// After a failed attempt: the next attempt is made at `until`, and operations before that get the
/// same error.
struct Backoff {
    until: Instant,
    error: Error,
}

pub(crate) struct Link {
    server: Server,
    channels: Channels,
    state: Mutex<State>,
    counts: Mutex<Counts>,
    first_attempt_done: AtomicBool,
    event_limits: EventLimits,
}

#[derive(Default)]
struct Counts {
    connections: u64,
    consecutive_failures: u32,
}

impl Link {
    pub(crate) fn new(server: Server) -> Arc<Self> {
        Arc::new(Self {
            server,
            channels: Channels::default(),
            state: Mutex::new(State::Disconnected(None)),
            counts: Mutex::default(),
            first_attempt_done: AtomicBool::new(false),
            event_limits: EventLimits::new(),
        })
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    /// The limits of the log events of this store.
    pub(crate) fn event_limits(&self) -> &EventLimits {
        &self.event_limits
    }

    /// Whether an attempt to connect has finished, successfully or not.
    pub(crate) fn first_attempt_done(&self) -> bool {
        self.first_attempt_done.load(Relaxed)
    }

    /// Runs `work` on the connection, which it opens if there is none.
    ///
    /// The work runs in a task of its own and continues if the caller is dropped: a command cannot be
    /// revoked, and a missing answer shows that the connection is lost.
    pub(crate) async fn run<T, F>(
        self: &Arc<Self>,
        work: impl FnOnce(Connection) -> F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = RedisResult<T>> + Send + 'static,
    {
        let open = self.connection().await?;
        self.run_on(&open, work(open.connection.clone())).await
    }

    /// Runs `work`, which uses this connection, as [`run`](Self::run) does.
    pub(crate) async fn run_on<T: Send + 'static>(
        self: &Arc<Self>,
        open: &OpenConnection,
        work: impl Future<Output = RedisResult<T>> + Send + 'static,
    ) -> Result<T, Error> {
        let (link, number) = (self.clone(), open.number);
        let task = runtime()?.spawn(async move {
            let server = link.server.location();
            let (error, loss) = match timeout(ANSWER_TIMEOUT, work).await {
                Ok(Ok(outcome)) => return Ok(outcome),
                Ok(Err(error)) => {
                    let loss = match error.code() {
                        Some(_) => Loss::ErrorReply,
                        None => Loss::Broken,
                    };
                    let is_lost = error::needs_new_connection(&error);
                    (error::shared_store(server, &error), is_lost.then_some(loss))
                }
                Err(_) => (
                    timed_out(server, "answer", ANSWER_TIMEOUT),
                    Some(Loss::Broken),
                ),
            };
            if let Some(loss) = loss {
                link.discard(number, loss);
            }
            Err(error)
        });
        task.await.unwrap_or_else(|_| {
            let server = self.server.location();
            Err(Error::new(
                ErrorKind::SharedStore,
                format!(
                    "Redis at {server}: the operation was canceled, because its tokio runtime was \
                     shut down"
                ),
            ))
        })
    }

    /// Returns the connection. If there is none, waits for the attempt to connect that is in flight,
    /// or starts one.
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<OpenConnection, Error> {
        let mut attempt = match self.connection_or_attempt()? {
            Ok(open) => return Ok(open),
            Err(attempt) => attempt,
        };
        let outcome = attempt.wait_for(Option::is_some).await;
        match outcome.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => {
                let server = self.server.location();
                Err(Error::new(
                    ErrorKind::SharedStore,
                    format!(
                        "Redis at {server}: the attempt to connect was canceled, because its tokio \
                         runtime was shut down"
                    ),
                ))
            }
        }
    }

    /// Returns the connection if it is open.
    pub(crate) fn current(&self) -> Option<OpenConnection> {
        match &*self.state() {
            State::Connected(open) => Some(open.clone()),
            State::Connecting { .. } | State::Disconnected(_) => None,
        }
    }

    fn connection_or_attempt(self: &Arc<Self>) -> Result<Result<OpenConnection, Attempt>, Error> {
        let mut state = self.state();
        match &*state {
            State::Connected(open) => return Ok(Ok(open.clone())),
            // the sender is dropped with its runtime; a runtime that is kept but not driven drops
            // nothing, and its attempt never finishes, so the attempt's age counts as well
            State::Connecting { attempt, since, .. }
                if attempt.has_changed().is_ok() && since.elapsed() < CONNECT_TIMEOUT + GRACE =>
            {
                return Ok(Err(attempt.clone()));
            }
            State::Disconnected(Some(backoff)) if Instant::now() < backoff.until => {
                return Err(backoff.error.clone());
            }
            State::Connecting { .. } | State::Disconnected(_) => {}
        }
        let runtime = runtime()?;
        let (result, attempt) = watch::channel(None);
        let number = {
            let mut counts = self.counts();
            counts.connections += 1;
            counts.connections
        };
        *state = State::Connecting {
            attempt: attempt.clone(),
            number,
            since: Instant::now(),
        };
        drop(state);
        let link = self.clone();
        runtime.spawn(async move {
            let outcome = link.connect(number).await;
            link.finish_attempt(number, &outcome);
            result.send_replace(Some(outcome));
        });
        Ok(Err(attempt))
    }

    async fn connect(self: &Arc<Self>, number: u64) -> Result<OpenConnection, Error> {
        let on_push = on_push(Arc::downgrade(self), number);
        let server = self.server.location();
        match timeout(CONNECT_TIMEOUT, self.server.connect(on_push)).await {
            Ok(Ok(connection)) => Ok(OpenConnection {
                connection,
                number,
                since: Instant::now(),
            }),
            Ok(Err(error)) => Err(error::shared_store(server, &error)),
            Err(_) => Err(timed_out(server, "connection", CONNECT_TIMEOUT)),
        }
    }

    /// Records the outcome of attempt `number`, unless a later attempt has replaced it.
    fn finish_attempt(&self, number: u64, outcome: &Result<OpenConnection, Error>) {
        self.first_attempt_done.store(true, Relaxed);
        let mut state = self.state();
        if !matches!(&*state, State::Connecting { number: this, .. } if *this == number) {
            return;
        }
        let mut counts = self.counts();
        *state = match outcome {
            Ok(open) => {
                counts.consecutive_failures = 0;
                State::Connected(open.clone())
            }
            Err(error) => {
                let backoff = MIN_BACKOFF * 2_u32.pow(counts.consecutive_failures.min(10));
                counts.consecutive_failures = counts.consecutive_failures.saturating_add(1);
                // jitter: processes that lost the server together do not reconnect together
                let backoff = backoff
                    .min(MAX_BACKOFF)
                    .mul_f64(0.5 + fastrand::f64() / 2.0);
                State::Disconnected(Some(Backoff {
                    until: Instant::now() + backoff,
                    error: error.clone(),
                }))
            }
        };
        drop((state, counts));
        // no lock is held here: a subscriber of events may use the store
        match outcome {
            Ok(_) => events::connected(self.server.location()),
            Err(error) => events::connection_failed(error),
        }
    }

    /// Takes a message that the server sent unasked, or the end of connection `number`.
    fn receive(&self, number: u64, push: &PushInfo) {
        match (&push.kind, push.data.first()) {
            (PushKind::Message, Some(Value::BulkString(channel))) => self.channels.notify(channel),
            (PushKind::Disconnection, _) => {
                let open = self.current();
                if open.is_some_and(|open| open.connection.is_of_one_server()) {
                    self.discard(number, Loss::Broken);
                }
            }
            _ => {}
        }
    }

    /// Discards connection `number`. After an error reply, a connection younger than the max
    /// backoff is kept: another connection would reach the same server.
    fn discard(&self, number: u64, loss: Loss) {
        let mut state = self.state();
        if let State::Connected(open) = &*state
            && open.number == number
            && (loss == Loss::Broken || open.since.elapsed() >= MAX_BACKOFF)
        {
            *state = State::Disconnected(None);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)
    }
}

fn on_push(link: Weak<Link>, number: u64) -> OnPush {
    Arc::new(move |push: PushInfo| {
        if let Some(link) = link.upgrade() {
            link.receive(number, &push);
        }
        Ok::<_, Infallible>(())
    })
}

fn runtime() -> Result<Handle, Error> {
    Handle::try_current().map_err(|_| {
        Error::new(
            ErrorKind::NoRuntime,
            "the shared token store was used outside a tokio runtime; use it within one",
        )
    })
}

fn timed_out(server: &str, what: &str, limit: Duration) -> Error {
    let limit = limit.as_secs();
    let message = format!("Redis at {server}: no {what} within {limit} s");
    Error::new(ErrorKind::SharedStore, message)
}
