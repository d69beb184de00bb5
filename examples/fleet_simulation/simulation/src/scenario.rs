//! The settings of a simulation.

use std::time::Duration;

use auth_core::RefreshPolicy;

/// A fleet, its authorization server and its outage.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The name in tables and plots.
    pub name: String,
    /// The number of processes.
    pub processes: usize,
    /// The length of the simulation.
    pub length: Duration,
    /// The lifetime of a token.
    pub lifetime: Duration,
    /// The refresh policy of every process.
    pub policy: RefreshPolicy,
    /// The mean time between two token requests of a process, which follows from the policy.
    pub period: Duration,
    /// Whether the processes have a shared store.
    pub shared_store: bool,
    /// The capacity of the authorization server. `None`: unlimited.
    pub capacity: Option<Capacity>,
    /// The outage of the authorization server, if any.
    pub outage: Option<Outage>,
    /// The seed of all random numbers.
    pub seed: u64,
}

/// The capacity of an authorization server.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// The number of requests that it serves in a second.
    pub per_second: u32,
    /// The max number of requests that wait to be served.
    pub queue: u32,
    /// The response to a request that finds the queue full.
    pub beyond: Overload,
}

/// The response of an overloaded server.
#[derive(Clone, Copy, Debug)]
pub enum Overload {
    /// 503.
    Unavailable,
    /// 429 with `Retry-After`, a random whole number of seconds.
    TooManyRequests {
        /// The min time, in seconds.
        retry_after: u64,
        /// The difference between the max and the min time, in seconds.
        spread: u64,
    },
}

/// An outage of the authorization server.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// The start of the outage, counted from the start of the simulation.
    pub from: Duration,
    /// The length of the outage.
    pub length: Duration,
    /// The response to a request.
    pub silence: Silence,
}

/// The response to a request during an outage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Silence {
    /// 503 at once.
    Unavailable,
    /// No response.
    NoAnswer,
}

impl Outage {
    /// Returns the end of the outage, counted from the start of the simulation.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.from + self.length
    }

    /// Returns whether the outage is in progress at `now`, counted from the start of the simulation.
    #[must_use]
    pub fn is_on(&self, now: Duration) -> bool {
        (self.from..self.end()).contains(&now)
    }
}

impl Scenario {
    /// Creates a fleet with the default policy and without a shared store, and a server of unlimited
    /// capacity.
    #[must_use]
    pub fn new(processes: usize, length: Duration, seed: u64) -> Self {
        Self {
            name: String::new(),
            processes,
            length,
            lifetime: Duration::from_secs(600),
            policy: RefreshPolicy::default(),
            // 600 s minus the margin of 5 % and the window of 24 %
            period: Duration::from_secs(426),
            shared_store: false,
            capacity: None,
            outage: None,
            seed,
        }
    }

    /// Returns the time until the next sample: a second during an outage and half an hour after it, else
    /// a minute.
    pub(super) fn sample_interval(&self, now: Duration) -> Duration {
        const AFTERMATH: Duration = Duration::from_secs(1800);
        let outage = self.outage.as_ref();
        let is_near =
            outage.is_some_and(|outage| (outage.from..outage.end() + AFTERMATH).contains(&now));
        Duration::from_secs(if is_near { 1 } else { 60 })
    }
}
