//! The simulated processes, store and authorization server, and the steps of a history.

use std::time::Duration;

use auth_core::RefreshPolicy;
use auth_test_support::secs;
use tokio::time::{Instant, sleep};

use super::{
    Parameters, Step,
    machine::Machine,
    network::{Condition, Network},
    process::Process,
    request_checker::RequestChecker,
    rules,
    server::{Answers, Server, Source},
    store::{Notifications, Store, StoreClient},
};

/// The maximum number of processes.
const MAX_PROCESSES: usize = 6;

pub(super) struct Simulation {
    pub(super) store: Store,
    pub(super) server: Server,
    pub(super) request_checker: RequestChecker,
    pub(super) processes: Vec<Process>,
    /// The maximum backoff of any process.
    pub(super) max_backoff: Duration,
    pub(super) was_revoked: bool,
    policy: RefreshPolicy,
    started: usize,
    rng: fastrand::Rng,
}

impl Simulation {
    pub(super) fn new(parameters: &Parameters, seed: u64) -> Self {
        let way = |seed| Network::new(Duration::from_millis(parameters.way), seed);
        let store = Store::new(way(seed));
        let server = Server::new(way(seed ^ 1), secs(parameters.lifetime));
        let policy = RefreshPolicy::builder().denied_backoff(secs(8)..=secs(30));
        let mut simulation = Self {
            request_checker: RequestChecker::new(store.clone(), server.clone()),
            store,
            server,
            processes: Vec::new(),
            max_backoff: secs(12),
            was_revoked: false,
            policy: policy.build().unwrap(),
            started: 0,
            rng: fastrand::Rng::with_seed(seed),
        };
        (0..parameters.processes).for_each(|_| simulation.start());
        simulation
    }

    pub(super) fn start(&mut self) {
        if self.processes.len() == MAX_PROCESSES {
            return;
        }
        self.started += 1;
        let machine = Machine::new();
        let source = Source {
            process: self.started,
            machine: machine.clone(),
            server: self.server.clone(),
            request_checker: self.request_checker.clone(),
        };
        let store = self.store.clone();
        let client = StoreClient { store, machine };
        // every third process has few callers
        let is_busy = !self.started.is_multiple_of(3);
        let process = Process::start(source, client, self.policy.clone(), is_busy);
        self.processes.push(process);
    }

    pub(super) async fn take(&mut self, step: Step) {
        match step {
            Step::Pass(millis) => self.pass(Duration::from_millis(millis)).await,
            Step::PassLife(percent) => {
                self.pass(self.server.lifetime() * percent / 100).await;
            }
            Step::Store(condition) => {
                self.store.network.set(condition);
                self.store_changed();
            }
            Step::Notifications(notifications) => {
                self.store.set_notifications(notifications);
                self.store_changed();
            }
            Step::Restart => {
                self.store.memory.clear();
                self.store_changed();
            }
            Step::Server(condition) => {
                self.server.network.set(condition);
                self.server_changed();
            }
            Step::Answers(answers) => {
                self.max_backoff = self.max_backoff.max(match answers {
                    Answers::RetryAfter(seconds) => secs(seconds),
                    Answers::Denials => secs(36),
                    Answers::Tokens | Answers::Unavailable => Duration::ZERO,
                });
                self.server.set(answers);
                self.server_changed();
            }
            Step::Revoke => {
                self.server.revoke();
                self.was_revoked = true;
            }
            Step::Kill(which) if !self.processes.is_empty() => {
                self.processes.remove(which % self.processes.len());
            }
            Step::Kill(_) | Step::Start => self.start(),
            Step::Freeze(which, millis) => {
                self.disturb(which, |m| m.freeze(Duration::from_millis(millis)));
            }
            Step::Suspend(which, millis) => {
                self.disturb(which, |m| m.suspend(Duration::from_millis(millis)));
            }
            Step::SetForward(which, by) => self.disturb(which, |m| m.set_wall_forward(secs(by))),
            Step::SetBack(which, by) => self.disturb(which, |m| m.set_wall_back(secs(by))),
        }
        self.look();
    }

    fn store_changed(&self) {
        let is_well = self.store.network.condition() == Condition::Works;
        let notifies = self.store.notifications() == Notifications::Delivered;
        self.request_checker.store_works(is_well && notifies);
    }

    fn server_changed(&self) {
        let is_well = self.server.network.condition() == Condition::Works;
        self.request_checker
            .server_works(is_well && self.server.answers() == Answers::Tokens);
    }

    fn disturb(&mut self, which: usize, disturb: impl FnOnce(&Machine)) {
        let count = self.processes.len().max(1);
        if let Some(process) = self.processes.get_mut(which % count) {
            disturb(&process.machine);
            process.disturbed();
        }
    }

    /// Time passes, and the processes send requests.
    pub(super) async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let often = (time / 32).min(self.server.lifetime() / 64);
        let often = often.clamp(Duration::from_millis(20), secs(5));
        while let Some(left) = end.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            sleep(left.min(often)).await;
            self.look();
            for process in &mut self.processes {
                let is_asked = process.is_busy || self.rng.u8(..16) == 0;
                if is_asked && !process.machine.is_frozen() {
                    process.send();
                }
            }
        }
    }

    /// Asserts that no rule has been violated so far.
    fn look(&mut self) {
        let recovery = rules::recovery(self.max_backoff);
        for process in &mut self.processes {
            process.recovery = recovery;
            process.look();
        }
        let violations = self.request_checker.violations();
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }
}
