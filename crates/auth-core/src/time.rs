//! Clocks, by which the lifetimes of tokens are measured.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;

/// One reading of both clocks.
///
/// A deadline is kept on both and the earlier one wins: the monotonic clock stops while the
/// machine is suspended, the wall clock can be set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Now {
    /// Time since an arbitrary start. It never goes back.
    pub monotonic: Duration,
    /// Time since 1970-01-01 00:00:00 UTC.
    pub wall: Duration,
}

impl Now {
    /// Returns both readings, moved forward by `by`.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self {
            monotonic: self.monotonic.saturating_add(by),
            wall: self.wall.saturating_add(by),
        }
    }

    /// Returns whether either clock has reached `deadline`.
    #[must_use]
    #[inline]
    pub fn reached(self, deadline: Self) -> bool {
        self.monotonic >= deadline.monotonic || self.wall >= deadline.wall
    }

    /// Returns the time left until `deadline`, by the clock that reaches it first; zero once it is
    /// reached.
    #[must_use]
    pub fn until(self, deadline: Self) -> Duration {
        let monotonic = deadline.monotonic.saturating_sub(self.monotonic);
        monotonic.min(deadline.wall.saturating_sub(self.wall))
    }
}

/// Returns a time in nanoseconds. A `u64` holds 584 years; longer times become its maximum.
#[inline]
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The future of [`Clock::sleep_until`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Reads the time, and sleeps until a time.
///
/// One type does both, so that a deadline is never computed with one clock and slept with another.
/// [`SystemClock`] is the default; tests use a clock that they can move.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Reads both clocks. This is on the path of every request: no lock, no system call.
    fn now(&self) -> Now;

    /// Completes when the monotonic clock has reached `deadline`, at once if it already has.
    ///
    /// Called inside a tokio runtime. Callers do not sleep again if a coarse clock still reads a
    /// tick before the deadline.
    fn sleep_until(&self, deadline: Duration) -> Sleep;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Now {
        (**self).now()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        (**self).sleep_until(deadline)
    }
}

/// The machine's clocks.
///
/// On Linux both are the coarse clocks (`CLOCK_MONOTONIC_COARSE`, `CLOCK_REALTIME_COARSE`). They
/// are at most a few milliseconds behind, and cost a fifth of `Instant::now`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> Now {
        Now {
            monotonic: system::monotonic(),
            wall: system::wall(),
        }
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(
            deadline.saturating_sub(self.now().monotonic),
        ))
    }
}

/// The clock of a cache: the system's, which is read without a virtual call, or a user's.
#[derive(Clone, Debug, Default)]
pub(crate) enum AnyClock {
    #[default]
    System,
    Custom(Arc<dyn Clock>),
}

impl AnyClock {
    #[inline]
    pub(crate) fn now(&self) -> Now {
        match self {
            Self::System => SystemClock.now(),
            Self::Custom(clock) => clock.now(),
        }
    }

    pub(crate) fn sleep_until(&self, deadline: Duration) -> Sleep {
        match self {
            Self::System => SystemClock.sleep_until(deadline),
            Self::Custom(clock) => clock.sleep_until(deadline),
        }
    }

    /// Returns the output of `future`, or `None` if `deadline` is reached first.
    pub(crate) fn before<F: Future>(&self, deadline: Duration, future: F) -> Before<'_, F> {
        Before {
            clock: self,
            deadline,
            future: Some(future),
            sleep: None,
        }
    }
}

pin_project! {
    /// The future of [`AnyClock::before`]. An `async fn` would contain `future` twice, and thousands of waiters
    /// may wake at the same time.
    pub(crate) struct Before<'a, F> {
        clock: &'a AnyClock,
        deadline: Duration,
        // `None` once it has finished, or the deadline is reached: it is dropped while this is polled, so that
        // a panic of its drop is caught where panics of its poll are
        #[pin]
        future: Option<F>,
        // a future that is ready at once needs no timer
        sleep: Option<Sleep>,
    }
}

impl<F: Future> Future for Before<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let ended = match future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => {
                let sleep = || this.clock.sleep_until(*this.deadline);
                let sleep = this.sleep.get_or_insert_with(sleep);
                sleep.as_mut().poll(cx).map(|()| None)
            }
        };
        if ended.is_ready() {
            this.future.set(None);
        }
        ended
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::time::Duration;

    use rustix::time::{ClockId, Timespec, clock_gettime};

    #[inline]
    pub(super) fn monotonic() -> Duration {
        duration(clock_gettime(ClockId::MonotonicCoarse))
    }

    #[inline]
    pub(super) fn wall() -> Duration {
        duration(clock_gettime(ClockId::RealtimeCoarse))
    }

    /// A wall clock set before 1970 reads as 1970.
    #[inline]
    fn duration(t: Timespec) -> Duration {
        Duration::new(
            u64::try_from(t.tv_sec).unwrap_or(0),
            u32::try_from(t.tv_nsec).unwrap_or(0),
        )
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::{
        sync::LazyLock,
        time::{Duration, Instant, SystemTime},
    };

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(super) fn monotonic() -> Duration {
        START.elapsed()
    }

    pub(super) fn wall() -> Duration {
        SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(monotonic: u64, wall: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(monotonic),
            wall: Duration::from_secs(wall),
        }
    }

    #[test]
    fn the_earlier_of_two_clocks_wins() {
        let deadline = at(10, 1010);
        assert!(!at(9, 1009).reached(deadline));
        assert!(at(10, 1000).reached(deadline));
        assert!(
            at(1, 1010).reached(deadline),
            "the monotonic clock stopped during a suspension"
        );
        assert_eq!(at(4, 1008).until(deadline), Duration::from_secs(2));
        assert_eq!(at(4, 2000).until(deadline), Duration::ZERO);
    }

    #[test]
    fn the_system_clock_reads_both() {
        let (first, second) = (SystemClock.now(), SystemClock.now());
        assert!(second.monotonic >= first.monotonic);
        assert!(first.wall > Duration::from_secs(1_700_000_000));
    }
}
