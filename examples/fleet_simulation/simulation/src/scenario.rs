//! What is simulated.

use std::time::Duration;

use auth_core::RefreshPolicy;

/// A fleet, its authorization server, and what happens to them.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// As it is called in tables and plots.
    pub name: String,
    /// How many there are.
    pub processes: usize,
    /// How long the simulation lasts.
    pub length: Duration,
    /// Of each token, as the authorization server tells it.
    pub lifetime: Duration,
    /// Of each process.
    pub policy: RefreshPolicy,
    /// How long after a token the next one is asked for, on average: what the policy comes to.
    pub period: Duration,
    /// Whether the processes share one.
    pub shared_store: bool,
    /// `None`: it serves whatever comes.
    pub capacity: Option<Capacity>,
    /// `None`: it never fails.
    pub outage: Option<Outage>,
    /// Of everything that is drawn at random.
    pub seed: u64,
}

/// What an authorization server can do.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// Requests that it serves in a second.
    pub per_second: u32,
    /// Requests that may wait; those that come beyond are turned away.
    pub queue: u32,
    /// How those are turned away.
    pub beyond: Overload,
}

/// How a request is turned away.
#[derive(Clone, Copy, Debug)]
pub enum Overload {
    /// 503.
    Unavailable,
    /// 429 with `Retry-After`: so long, and up to so much longer at random, in whole seconds.
    TooManyRequests {
        /// The shortest time, in seconds.
        retry_after: u64,
        /// How much longer at most, in seconds.
        spread: u64,
    },
}

/// The authorization server is gone for a while.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// Since the start of the simulation.
    pub from: Duration,
    /// How long it lasts.
    pub length: Duration,
    /// What a request meets.
    pub silence: Silence,
}

/// What a request meets during an outage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Silence {
    /// 503, at once.
    Unavailable,
    /// No answer at all.
    NoAnswer,
}

impl Outage {
    /// Since the start of the simulation.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.from + self.length
    }

    /// Whether it is on, so long after the start of the simulation.
    #[must_use]
    pub fn is_on(&self, now: Duration) -> bool {
        (self.from..self.end()).contains(&now)
    }
}

impl Scenario {
    /// A store-less fleet with the default policy, and a server that never tires.
    #[must_use]
    pub fn new(processes: usize, length: Duration, seed: u64) -> Self {
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
