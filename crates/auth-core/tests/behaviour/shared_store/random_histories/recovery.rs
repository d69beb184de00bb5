//! The end of a history: all faults end, and the processes recover.

use auth_test_support::secs;
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    Step, network::Condition, process::Process, rules, server::Answers, simulation::Simulation,
    store::Notifications,
};

impl Simulation {
    /// Asserts that every process has a token in time, that all processes together make one request in a
    /// lifetime, and that no task is left.
    pub(super) async fn end(mut self) {
        self.end_all_faults().await;
        self.recover().await;
        self.stays_healthy().await;
        self.processes.clear();
        self.take(Step::Pass(500)).await;
        let metrics = tokio::runtime::Handle::current().metrics();
        assert_eq!(metrics.num_alive_tasks(), 0, "a task is left");
    }

    async fn end_all_faults(&mut self) {
        for step in [
            Step::Store(Condition::Works),
            Step::Notifications(Notifications::Delivered),
            Step::Server(Condition::Works),
            Step::Answers(Answers::Tokens),
            Step::Start,
        ] {
            self.take(step).await;
        }
        let still = self
            .processes
            .iter()
            .map(|process| process.machine.frozen_until());
        sleep_until(still.max().unwrap()).await;
    }

    async fn recover(&mut self) {
        let since = Instant::now();
        let mut within = rules::recovery(self.max_backoff);
        if self.was_revoked {
            within += rules::ON_PROBATION;
        }
        loop {
            for process in &mut self.processes {
                process.send();
            }
            if self.processes.iter().all(Process::is_served) {
                break;
            }
            let waited = since.elapsed();
            assert!(
                waited <= within,
                "still without a token, {within:?} after all faults"
            );
            self.take(Step::Pass(100)).await;
        }
    }

    async fn stays_healthy(&mut self) {
        let lifetime = self.server.lifetime();
        // a process may have to back off for longer than the lifetime of its token
        self.pass(lifetime.max(rules::recovery(self.max_backoff)))
            .await;
        let before = self.request_checker.requests();
        let waits = |simulation: &Self| simulation.processes.iter().map(|p| p.waits).sum::<usize>();
        let waited = waits(self);
        let periods = 3;
        self.pass(lifetime * periods).await;
        let requests = self.request_checker.requests() - before;
        let earliest = rules::earliest_stale(lifetime).as_secs_f64();
        let max = (lifetime * periods).as_secs_f64() / earliest + 1.0;
        assert!(
            requests as f64 <= max,
            "{requests} token requests in {periods} lifetimes"
        );
        assert_eq!(
            waits(self),
            waited,
            "a request waits although no fault is left"
        );
        for process in &self.processes {
            assert!(
                process.tokens.status().has_usable_token(),
                "a process has no token at the end"
            );
        }
        sleep(secs(1)).await;
    }
}
