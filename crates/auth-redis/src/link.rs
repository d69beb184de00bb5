//! The one connection of a store: made when it is needed, shared, and replaced when it is lost.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError, Weak,
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
    connection::Connection,
    error, events,
    server::{ANSWER, CONNECT, OnPush, Server},
    waiting::Channels,
};

/// Before the second attempt; doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// An attempt has this long to come to its end after its time is over: its runtime may be busy.
const GRACE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A connection, and which one in the life of the link it is.
#[derive(Clone)]
pub(crate) struct Up {
    pub(crate) connection: Connection,
    pub(crate) number: u64,
    since: Instant,
}

/// Why a connection is of no more use.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Loss {
    /// It is broken, or nothing comes.
    Broken,
    /// The server says that another server could do better.
    Told,
}

/// What an attempt to connect came to; `None` while it goes on.
type Attempt = watch::Receiver<Option<Result<Up, Error>>>;

enum State {
    /// Not connected; `None`: nothing speaks against trying.
    Down(Option<Pause>),
    /// An attempt goes on, whoever waits for it.
    Connecting {
        attempt: Attempt,
        number: u64,
        since: Instant,
    },
    Up(Up),
}

/// No attempt is made before `until`.
struct Pause {
    until: Instant,
    why: Error,
}

pub(crate) struct Link {
    server: Server,
    channels: Channels,
    state: Mutex<State>,
    counts: Mutex<Counts>,
    has_been_tried: AtomicBool,
}

#[derive(Default)]
struct Counts {
    connections: u64,
    failures: u32,
}

impl Link {
    pub(crate) fn new(server: Server) -> Arc<Self> {
        Arc::new(Self {
            server,
            channels: Channels::default(),
            state: Mutex::new(State::Down(None)),
            counts: Mutex::default(),
            has_been_tried: AtomicBool::new(false),
        })
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Whether an attempt to connect has come to an end, good or bad.
    pub(crate) fn has_been_tried(&self) -> bool {
        self.has_been_tried.load(Relaxed)
    }

    /// What `work` comes to on the connection. It goes on if the caller does not wait for it: what
    /// has been sent has been sent, and an answer that does not come tells that the connection is
    /// of no more use.
    pub(crate) async fn run<T, F>(
        self: &Arc<Self>,
        work: impl FnOnce(Connection) -> F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = RedisResult<T>> + Send + 'static,
    {
        let up = self.up().await?;
        self.run_on(&up, work(up.connection.clone())).await
    }

    /// The same, on this connection and no other.
    pub(crate) async fn run_on<T: Send + 'static>(
        self: &Arc<Self>,
        up: &Up,
        work: impl Future<Output = RedisResult<T>> + Send + 'static,
    ) -> Result<T, Error> {
        let (link, number) = (self.clone(), up.number);
        let task = runtime()?.spawn(async move {
            let place = link.server.place();
            let (error, loss) = match timeout(ANSWER, work).await {
                Ok(Ok(outcome)) => return Ok(outcome),
                Ok(Err(error)) => {
                    let loss = match error.code() {
                        Some(_) => Loss::Told,
                        None => Loss::Broken,
                    };
                    let is_lost = error::is_of_the_connection(&error);
                    (error::shared_store(place, &error), is_lost.then_some(loss))
                }
                Err(_) => (too_slow(place, "answer", ANSWER), Some(Loss::Broken)),
            };
            if let Some(loss) = loss {
                link.lose(number, loss);
            }
            Err(error)
        });
        task.await.unwrap_or_else(|_| {
            let message = "an operation of the shared token store was ended with its runtime";
            Err(Error::new(ErrorKind::SharedStore, message))
        })
    }

    /// The connection; waits for it if there is none.
    pub(crate) async fn up(self: &Arc<Self>) -> Result<Up, Error> {
        let mut attempt = match self.up_or_attempt()? {
            Ok(up) => return Ok(up),
            Err(attempt) => attempt,
        };
        let outcome = attempt.wait_for(Option::is_some).await;
        match outcome.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            // its runtime has ended
            _ => {
                let message = "the connection to the shared token store was not made";
                Err(Error::new(ErrorKind::SharedStore, message))
            }
        }
    }

    /// The connection, if there is one.
    pub(crate) fn current(&self) -> Option<Up> {
        match &*self.state() {
            State::Up(up) => Some(up.clone()),
            State::Connecting { .. } | State::Down(_) => None,
        }
    }

    fn up_or_attempt(self: &Arc<Self>) -> Result<Result<Up, Attempt>, Error> {
        let mut state = self.state();
        match &*state {
            State::Up(up) => return Ok(Ok(up.clone())),
            // the sender is gone if its runtime has ended; a runtime that is kept and not driven
            // drops nothing, and comes to no end either
            State::Connecting { attempt, since, .. }
                if attempt.has_changed().is_ok() && since.elapsed() < CONNECT + GRACE =>
            {
                return Ok(Err(attempt.clone()));
            }
            State::Down(Some(pause)) if Instant::now() < pause.until => {
                return Err(pause.why.clone());
            }
            State::Connecting { .. } | State::Down(_) => {}
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
            link.settle(number, &outcome);
            result.send_replace(Some(outcome));
        });
        Ok(Err(attempt))
    }

    async fn connect(self: &Arc<Self>, number: u64) -> Result<Up, Error> {
        let on_push = on_push(Arc::downgrade(self), number);
        let place = self.server.place();
        match timeout(CONNECT, self.server.connect(on_push)).await {
            Ok(Ok(connection)) => Ok(Up {
                connection,
                number,
                since: Instant::now(),
            }),
            Ok(Err(error)) => Err(error::shared_store(place, &error)),
            Err(_) => Err(too_slow(place, "connection", CONNECT)),
        }
    }

    /// Takes in what attempt `number` came to, unless it was given up for another.
    fn settle(&self, number: u64, outcome: &Result<Up, Error>) {
        self.has_been_tried.store(true, Relaxed);
        let mut state = self.state();
        if !matches!(&*state, State::Connecting { number: this, .. } if *this == number) {
            return;
        }
        let mut counts = self.counts();
        *state = match outcome {
            Ok(up) => {
                counts.failures = 0;
                State::Up(up.clone())
            }
            Err(error) => {
                let pause = FIRST_PAUSE * 2_u32.pow(counts.failures.min(10));
                counts.failures = counts.failures.saturating_add(1);
                // a fleet that lost its server together does not come back together
                let pause = pause
                    .min(LONGEST_PAUSE)
                    .mul_f64(0.5 + fastrand::f64() / 2.0);
                State::Down(Some(Pause {
                    until: Instant::now() + pause,
                    why: error.clone(),
                }))
            }
        };
        drop((state, counts));
        // whoever listens may use the store
        match outcome {
            Ok(_) => events::connected(self.server.place()),
            Err(error) => events::not_connected(error),
        }
    }

    /// What the server told, or what happened to the connection to it.
    fn told(&self, number: u64, push: &PushInfo) {
        match (&push.kind, push.data.first()) {
            (PushKind::Message, Some(Value::BulkString(channel))) => self.channels.tell(channel),
            (PushKind::Disconnection, _) => {
                let up = self.current();
                if up.is_some_and(|up| up.connection.is_of_one_server()) {
                    self.lose(number, Loss::Broken);
                }
            }
            _ => {}
        }
    }

    /// The connection of that number is of no more use. One that is young led to the server that is
    /// there now: the next would lead there, too.
    fn lose(&self, number: u64, loss: Loss) {
        let mut state = self.state();
        if let State::Up(up) = &*state
            && up.number == number
            && (loss == Loss::Broken || up.since.elapsed() >= LONGEST_PAUSE)
        {
            *state = State::Down(None);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
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
            link.told(number, &push);
        }
        Ok::<_, Infallible>(())
    })
}

fn runtime() -> Result<Handle, Error> {
    Handle::try_current().map_err(|_| {
        Error::new(
            ErrorKind::NoRuntime,
            "the shared token store needs a tokio runtime",
        )
    })
}

fn too_slow(place: &str, what: &str, limit: Duration) -> Error {
    let message = format!("Redis at {place}: no {what} within {} s", limit.as_secs());
    Error::new(ErrorKind::SharedStore, message)
}
