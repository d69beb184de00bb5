//! Sees every token request, and knows which should not have been made.

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

/// Clones are the same.
#[derive(Clone)]
pub(super) struct Referee(Arc<State>);

struct State {
    store: Store,
    server: Server,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// Since when the store has worked, if it does.
    store_works_since: Option<Instant>,
    server_works_since: Option<Instant>,
    in_flight: Vec<Request>,
    requests: Vec<(Instant, usize)>,
    /// The same of those who had no token, with a store that has worked for long enough.
    needy: Vec<(Instant, usize)>,
    fouls: Vec<String>,
    /// What each process had when it was last read.
    current: Vec<(usize, String, Issued)>,
}

struct Request {
    number: usize,
    began: Instant,
    machine: Machine,
    /// Made with a store that has worked for long enough.
    is_orderly: bool,
}

/// A token request under way, until it is dropped.
pub(super) struct Asking {
    referee: Referee,
    number: usize,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut book = self.referee.book();
        book.in_flight
            .retain(|request| request.number != self.number);
    }
}

impl Referee {
    pub(super) fn new(store: Store, server: Server) -> Self {
        let book = Book {
            store_works_since: Some(Instant::now()),
            server_works_since: Some(Instant::now()),
            ..Book::default()
        };
        Self(Arc::new(State {
            store,
            server,
            book: Mutex::new(book),
        }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap()
    }

    /// The store works since now, or does not.
    pub(super) fn store_works(&self, works: bool) {
        self.book().store_works_since = works.then(Instant::now);
    }

    /// The authorization server issues tokens since now, or does not.
    pub(super) fn server_works(&self, works: bool) {
        self.book().server_works_since = works.then(Instant::now);
    }

    pub(super) fn server_worked_for(&self, time: Duration) -> bool {
        let since = self.book().server_works_since;
        since.is_some_and(|since| since + time < Instant::now())
    }

    /// What the process has in use.
    pub(super) fn has(&self, process: usize, token: &str, issued: Issued) {
        let mut book = self.book();
        book.current.retain(|(of, ..)| *of != process);
        book.current.push((process, token.to_owned(), issued));
    }

    pub(super) fn requests(&self) -> usize {
        self.book().requests.len()
    }

    /// What should not have happened so far.
    pub(super) fn fouls(&self) -> Vec<String> {
        self.book().fouls.clone()
    }

    /// A process asks for a token.
    pub(super) async fn asked(&self, process: usize, machine: &Machine) -> Asking {
        let kept = self.0.store.kept(&key()).await;
        let now = Instant::now();
        let mut book = self.book();
        let number = book.requests.len();
        book.requests.push((now, process));
        let long_ago = |then: Instant| then + rules::LONGEST_FLIGHT < now;
        let is_orderly = book.store_works_since.is_some_and(long_ago)
            && machine.disturbed().is_none_or(long_ago);
        book.in_flight.push(Request {
            number,
            began: now,
            machine: machine.clone(),
            is_orderly,
        });
        let seen_after = match book.server_works_since.is_some_and(long_ago) {
            true => rules::JUST_SAVED,
            // what is saved under the fallback lease may be seen by no waiter, but by the next caller
            false => rules::LONGEST_FLIGHT,
        };
        let kept = kept.filter(|(_, since)| is_orderly && *since > seen_after);
        if let Some((token, _)) = kept
            && let Some(issued) = self.0.server.issued(token.secret())
            && rules::is_fresh(&token)
            && !issued.is_revoked
            && machine.disturbed().is_none_or(|then| then < issued.sent)
        {
            let current = book.current.iter().find(|(of, ..)| *of == process);
            let wants = |current: &(usize, String, Issued)| current.2.sent <= issued.sent;
            if current.is_none_or(wants) {
                let foul = format!("{process} asks, and the store has {}", token.secret());
                book.fouls.push(foul);
            }
        }
        let orderly = book.in_flight.iter().filter(|request| {
            request.is_orderly
                && request
                    .machine
                    .disturbed()
                    .is_none_or(|at| at < request.began)
        });
        let orderly = orderly.count();
        if orderly > rules::HOLDER_AND_DEPUTY {
            book.fouls.push(format!("{orderly} token requests at once"));
        }
        if is_orderly && !self.0.server.has_living_token() {
            book.needy.push((now, process));
            let of_late = book
                .needy
                .iter()
                .filter(|(at, _)| *at + rules::SHORTEST_PAUSE > now);
            let of_late: HashSet<_> = of_late.map(|(_, process)| *process).collect();
            if of_late.len() > rules::HOLDER_AND_DEPUTY {
                let foul = format!("{of_late:?} ask within a backoff");
                book.fouls.push(foul);
            }
        }
        let a_minute_ago = now.checked_sub(Duration::from_secs(60));
        let of_late = book
            .requests
            .iter()
            .filter(|(at, of)| *of == process && a_minute_ago.is_none_or(|then| *at > then));
        let of_late = of_late.count();
        if of_late > rules::REQUESTS_A_MINUTE {
            let foul = format!("{process} makes {of_late} token requests in a minute");
            book.fouls.push(foul);
        }
        drop(book);
        Asking {
            referee: self.clone(),
            number,
        }
    }
}

impl fmt::Debug for Referee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Referee")
    }
}
