//! Records every token request, and detects those that violate a rule.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    machine::Machine,
    rules,
    server::{Issued, Server, key},
    store::Store,
};

/// Clones share one record.
#[derive(Clone)]
pub(super) struct RequestChecker(Arc<State>);

struct State {
    store: Store,
    server: Server,
    records: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    /// Since when the store has worked, if it works.
    store_works_since: Option<Instant>,
    server_works_since: Option<Instant>,
    in_flight: Vec<Request>,
    requests: Vec<(Instant, usize)>,
    /// The requests of processes without a token whose store has worked for long enough.
    without_token: Vec<(Instant, usize)>,
    violations: Vec<String>,
    /// The token of each process at its last read.
    current: Vec<(usize, String, Issued)>,
}

struct Request {
    number: usize,
    began: Instant,
    machine: Machine,
    /// Whether the store had worked for long enough when the request was sent.
    had_working_store: bool,
}

/// A token request in flight, until it is dropped.
pub(super) struct InFlight {
    request_checker: RequestChecker,
    number: usize,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut records = self.request_checker.records();
        records
            .in_flight
            .retain(|request| request.number != self.number);
    }
}

impl RequestChecker {
    pub(super) fn new(store: Store, server: Server) -> Self {
        let records = Records {
            store_works_since: Some(Instant::now()),
            server_works_since: Some(Instant::now()),
            ..Records::default()
        };
        Self(Arc::new(State {
            store,
            server,
            records: Mutex::new(records),
        }))
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.records.lock().unwrap()
    }

    /// Records that the store works from now on, or that it does not.
    pub(super) fn store_works(&self, works: bool) {
        self.records().store_works_since = works.then(Instant::now);
    }

    /// Records that the authorization server issues tokens from now on, or that it does not.
    pub(super) fn server_works(&self, works: bool) {
        self.records().server_works_since = works.then(Instant::now);
    }

    pub(super) fn server_worked_for(&self, time: Duration) -> bool {
        let since = self.records().server_works_since;
        since.is_some_and(|since| since + time < Instant::now())
    }

    /// Records the token that the process uses.
    pub(super) fn has(&self, process: usize, token: &str, issued: Issued) {
        let mut records = self.records();
        records.current.retain(|(of, ..)| *of != process);
        records.current.push((process, token.to_owned(), issued));
    }

    pub(super) fn requests(&self) -> usize {
        self.records().requests.len()
    }

    /// Returns the violations so far.
    pub(super) fn violations(&self) -> Vec<String> {
        self.records().violations.clone()
    }

    /// Records and checks a token request of a process.
    pub(super) async fn record_request(&self, process: usize, machine: &Machine) -> InFlight {
        let kept = self.0.store.saved_token(&key()).await;
        let now = Instant::now();
        let mut records = self.records();
        let number = records.requests.len();
        records.requests.push((now, process));
        let long_ago = |then: Instant| then + rules::MAX_FETCH < now;
        let had_working_store = records.store_works_since.is_some_and(long_ago)
            && machine.disturbed().is_none_or(long_ago);
        records.in_flight.push(Request {
            number,
            began: now,
            machine: machine.clone(),
            had_working_store,
        });
        let seen_after = match records.server_works_since.is_some_and(long_ago) {
            true => rules::JUST_SAVED,
            // a token saved under the fallback lease may be seen by the next caller and by no waiter
            false => rules::MAX_FETCH,
        };
        let kept = kept.filter(|(_, since)| had_working_store && *since > seen_after);
        if let Some((token, _)) = kept
            && let Some(issued) = self.0.server.issued(token.secret())
            && rules::is_fresh(&token)
            && !issued.is_revoked
            && machine.disturbed().is_none_or(|then| then < issued.sent)
        {
            let current = records.current.iter().find(|(of, ..)| *of == process);
            let wants = |current: &(usize, String, Issued)| current.2.sent <= issued.sent;
            if current.is_none_or(wants) {
                let violation = format!(
                    "process {process} requests a token although the store has {}",
                    token.secret()
                );
                records.violations.push(violation);
            }
        }
        let orderly = records.in_flight.iter().filter(|request| {
            request.had_working_store
                && request
                    .machine
                    .disturbed()
                    .is_none_or(|at| at < request.began)
        });
        let orderly = orderly.count();
        if orderly > rules::HOLDER_AND_FALLBACK {
            records
                .violations
                .push(format!("{orderly} concurrent token requests"));
        }
        if had_working_store && !self.0.server.has_living_token() {
            records.without_token.push((now, process));
            let of_late = records
                .without_token
                .iter()
                .filter(|(at, _)| *at + rules::MIN_BACKOFF > now);
            let of_late: HashSet<_> = of_late.map(|(_, process)| *process).collect();
            if of_late.len() > rules::HOLDER_AND_FALLBACK {
                let violation = format!("processes {of_late:?} request tokens within one backoff");
                records.violations.push(violation);
            }
        }
        let a_minute_ago = now.checked_sub(Duration::from_secs(60));
        let of_late = records
            .requests
            .iter()
            .filter(|(at, of)| *of == process && a_minute_ago.is_none_or(|then| *at > then));
        let of_late = of_late.count();
        if of_late > rules::MAX_REQUESTS_PER_MINUTE {
            let violation = format!("process {process} makes {of_late} token requests in a minute");
            records.violations.push(violation);
        }
        drop(records);
        InFlight {
            request_checker: self.clone(),
            number,
        }
    }
}

impl fmt::Debug for RequestChecker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestChecker")
    }
}
