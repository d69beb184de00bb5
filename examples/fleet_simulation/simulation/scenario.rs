//! What is simulated.

use std::time::Duration;

use auth_core::RefreshPolicy;

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) processes: usize,
    pub(crate) length: Duration,
    /// Of each token, as the authorization server tells it.
    pub(crate) lifetime: Duration,
    pub(crate) policy: RefreshPolicy,
    /// How long after a token the next one is asked for, on average: what the policy comes to.
    pub(crate) period: Duration,
    pub(crate) shared_store: bool,
    /// `None`: it serves whatever comes.
    pub(crate) capacity: Option<Capacity>,
    pub(crate) outage: Option<Outage>,
    pub(crate) seed: u64,
}

/// What an authorization server can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) per_second: u32,
    /// Requests that may wait; those that come beyond are turned away.
    pub(crate) queue: u32,
    pub(crate) beyond: Overload,
}

/// How a request is turned away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Overload {
    /// 503.
    Unavailable,
    /// 429 with `Retry-After`: so long, and up to so much longer at random, in whole seconds.
    TooManyRequests { retry_after: u64, spread: u64 },
}

/// The authorization server is gone for a while.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    pub(crate) from: Duration,
    pub(crate) length: Duration,
    pub(crate) silence: Silence,
}

/// What a request meets during an outage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Silence {
    /// 503, at once.
    Unavailable,
    /// No answer at all.
    NoAnswer,
}

impl Outage {
    pub(crate) fn end(&self) -> Duration {
        self.from + self.length
    }

    pub(crate) fn is_on(&self, now: Duration) -> bool {
        (self.from..self.end()).contains(&now)
    }
}

impl Scenario {
    /// A store-less fleet with the default policy, and a server that never tires.
    pub(crate) fn new(processes: usize, length: Duration, seed: u64) -> Self {
        Self {
            name: String::new(),
            processes,
            length,
            lifetime: Duration::from_secs(600),
            policy: RefreshPolicy::default(),
            // 600 s, less 5 % and a window of 24 %
            period: Duration::from_secs(426),
            shared_store: false,
            capacity: None,
            outage: None,
            seed,
        }
    }

    /// How long until all processes are looked at again: each second where an outage is on or just
    /// over, each minute else.
    pub(super) fn look_every(&self, now: Duration) -> Duration {
        const AFTERMATH: Duration = Duration::from_secs(1800);
        let outage = self.outage.as_ref();
        let close =
            outage.is_some_and(|outage| (outage.from..outage.end() + AFTERMATH).contains(&now));
        Duration::from_secs(if close { 1 } else { 60 })
    }
}
