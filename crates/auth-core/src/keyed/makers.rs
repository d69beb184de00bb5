//! Runs the functions of users that make values: under no lock, one at a time for each key. Their
//! failures are remembered and back off.

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use tokio::{runtime::Handle, sync::watch};

use crate::{
    Error, ErrorKind,
    time::{AnyClock, Now},
};

/// The maximum number of failures that are remembered.
const MAX_FAILURES: usize = 1024;
/// The backoff after the first failure. It doubles with each consecutive one, up to the maximum.
const BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The maximum wait for a function that runs on another thread: it may wait for its own waiters.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The functions that run, and those that failed lately.
pub(crate) struct Makers<K, V> {
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    running: HashMap<K, Running<V>, RandomState>,
    failures: HashMap<K, Failure, RandomState>,
}

struct Running<V> {
    thread: ThreadId,
    outcome: watch::Receiver<Option<Result<V, Error>>>,
}

struct Failure {
    error: Error,
    in_a_row: u32,
    next_attempt: Duration,
}

/// The value of a key, made now or before, or a function that makes it on another thread.
pub(crate) enum Made<V> {
    Value(V),
    Waiting(Making<V>),
}

/// A function that runs on another thread.
pub(crate) struct Making<V>(watch::Receiver<Option<Result<V, Error>>>);

/// The entry of a running function. Ends it, also when a panic unwinds.
struct Entered<'a, K: Eq + Hash, V> {
    makers: &'a Makers<K, V>,
    key: &'a K,
}

impl<K: Clone + Eq + Hash, V: Clone> Makers<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                running: HashMap::default(),
                failures: HashMap::default(),
            }),
        }
    }

    /// Returns the value that `find` returns or, if there is none, the one that `make` makes and
    /// `keep` keeps. None of them is called under a lock.
    ///
    /// # Errors
    /// The error of `make`, also if it failed lately. An error if `make` panics, or if it asks for its
    /// own key.
    pub(crate) fn value(
        &self,
        key: &K,
        clock: &AnyClock,
        find: impl FnOnce() -> Option<V>,
        make: impl FnOnce() -> Result<V, Error>,
        keep: impl FnOnce(V) -> V,
    ) -> Result<Made<V>, Error> {
        let outcome = {
            let mut state = self.state();
            if let Some(running) = state.running.get(key) {
                if running.thread == thread::current().id() {
                    return Err(Error::configuration(
                        "tenant: expected the function that makes a tenant's authorizer to send no \
                         request of that tenant, got one; use a client without this authorizer there",
                    ));
                }
                return Ok(Made::Waiting(Making(running.outcome.clone())));
            }
            if let Some(error) = state.backing_off(key, clock.now()) {
                return Err(error);
            }
            let (sender, outcome) = watch::channel(None);
            let thread = thread::current().id();
            state
                .running
                .insert(key.clone(), Running { thread, outcome });
            sender
        };
        let entered = Entered { makers: self, key };
        // it may have been made since the caller looked
        if let Some(value) = find() {
            drop(entered);
            outcome.send_replace(Some(Ok(value.clone())));
            return Ok(Made::Value(value));
        }
        let made = catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_payload| {
            // the payload may hold a secret
            Err(Error::new(
                ErrorKind::Panicked,
                "the function that makes a tenant's authorizer panicked",
            ))
        });
        let made = match made {
            Ok(value) => {
                self.succeeded(key);
                Ok(keep(value))
            }
            Err(error) => Err(self.failed(key, error, clock.now())),
        };
        drop(entered);
        outcome.send_replace(Some(made.clone()));
        made.map(Made::Value)
    }

    fn succeeded(&self, key: &K) {
        let removed = self.state().failures.remove_entry(key);
        // an error of the user is dropped after the lock
        drop(removed);
    }

    fn failed(&self, key: &K, error: Error, now: Now) -> Error {
        let mut state = self.state();
        let before = state.failures.get(key).map_or(0, |before| before.in_a_row);
        let in_a_row = before.saturating_add(1);
        let wait = BACKOFF.saturating_mul(1 << before.min(16)).min(MAX_BACKOFF);
        let failure = Failure {
            error: error.clone(),
            in_a_row,
            next_attempt: now.monotonic.saturating_add(wait),
        };
        let mut removed = state.make_room(now);
        let replaced = state.failures.insert(key.clone(), failure);
        drop(state);
        // errors of the user are dropped after the lock
        removed.extend(replaced);
        drop(removed);
        error.with_next_attempt(wait)
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Drop for Entered<'_, K, V> {
    fn drop(&mut self) {
        let state = self.makers.state.lock();
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        let removed = state.running.remove_entry(self.key);
        drop(state);
        drop(removed);
    }
}

impl<K: Eq + Hash, V> State<K, V> {
    /// Returns the error of the last failure until the next attempt is due.
    fn backing_off(&self, key: &K, now: Now) -> Option<Error> {
        let failure = self.failures.get(key)?;
        let wait = failure.next_attempt.checked_sub(now.monotonic)?;
        (!wait.is_zero()).then(|| failure.error.clone().with_next_attempt(wait))
    }

    /// Forgets failures if there are too many: those whose next attempt is due first.
    fn make_room(&mut self, now: Now) -> Vec<Failure> {
        if self.failures.len() < MAX_FAILURES {
            return Vec::new();
        }
        let mut times: Vec<_> = self.failures.values().map(|f| f.next_attempt).collect();
        times.sort_unstable();
        let due = times.partition_point(|time| *time <= now.monotonic);
        let last = due.max(MAX_FAILURES / 8).min(times.len()) - 1;
        let mut left = last + 1;
        let until = times[last];
        self.failures
            .extract_if(|_, failure| {
                let goes = failure.next_attempt <= until && left > 0;
                left -= usize::from(goes);
                goes
            })
            .map(|(_, failure)| failure)
            .collect()
    }
}

impl<V: Clone> Making<V> {
    /// Waits until the function has returned. Inside a tokio runtime for at most 30 s.
    pub(crate) async fn value(mut self, clock: &AnyClock) -> Result<V, Error> {
        let returned = self.0.wait_for(Option::is_some);
        let returned = match Handle::try_current() {
            Ok(_) => {
                let end = clock.now().monotonic.saturating_add(MAX_WAIT);
                clock.before(end, returned).await
            }
            Err(_outside) => Some(returned.await),
        };
        let Some(returned) = returned else {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!(
                    "tenant: expected the function that makes the tenant's authorizer to return \
                     within {MAX_WAIT:?}, but it is still running; it should not block"
                ),
            ));
        };
        match returned {
            Ok(outcome) => match &*outcome {
                Some(made) => made.clone(),
                None => Err(ended()),
            },
            Err(_dropped) => Err(ended()),
        }
    }
}

/// Not reached: a function that panics has an outcome.
fn ended() -> Error {
    Error::new(
        ErrorKind::Panicked,
        "the function that makes a tenant's authorizer ended without an outcome",
    )
}

impl<K, V> fmt::Debug for Makers<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Makers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    };

    use super::*;
    use crate::time::{Clock, Sleep};

    /// The clock of this thread.
    #[derive(Debug)]
    struct Seconds(AtomicU64);

    impl Clock for Seconds {
        fn now(&self) -> Now {
            let time = Duration::from_secs(self.0.load(SeqCst));
            Now {
                monotonic: time,
                wall: time,
            }
        }

        fn sleep_until(&self, _deadline: Duration) -> Sleep {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_bounded_number_of_failures_is_remembered() {
        let makers: Makers<u32, u32> = Makers::new();
        let seconds = Arc::new(Seconds(AtomicU64::new(0)));
        let clock = AnyClock::Custom(seconds.clone());
        for key in 0..100_000 {
            seconds.0.store(u64::from(key / 500), SeqCst);
            let make = || Err(Error::configuration("unknown"));
            assert!(makers.value(&key, &clock, || None, make, |v| v).is_err());
            assert!(makers.state().failures.len() <= MAX_FAILURES);
        }
        // the latest failures back off
        let mut asked = false;
        let make = || {
            asked = true;
            Ok(7)
        };
        let latest = makers.value(&99_999, &clock, || None, make, |v| v);
        assert!(latest.is_err() && !asked);
    }
}
