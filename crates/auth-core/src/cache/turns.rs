//! Turns: the token requests of one source that may be in flight at once, and the queue of the
//! others.

use std::{collections::BTreeMap, task::Waker, time::Duration};

/// After its deadline a fetch has this long to finish before the cache abandons it: its runtime may
/// be busy. A fetch has the same time to take its turn.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// The default maximum of token requests in flight at once.
pub(super) const DEFAULT_LIMIT: usize = 16;

/// The turns of one source, and the fetches that wait for one: first come, first served.
///
/// A fetch takes its turn when its task is polled, and is not handed one. A task whose runtime is
/// not driven therefore blocks no turn for longer than [`GRACE`], and a turn ends with the time of
/// its attempt even if it is never returned.
#[derive(Debug)]
pub(super) struct Turns {
    limit: usize,
    /// Whether one fetch at a time finds out if the client is still denied.
    pub(super) one_at_a_time: bool,
    holders: Vec<Holder>,
    /// The waiting fetches, by their numbers, which ascend.
    queue: BTreeMap<u64, Waker>,
    /// The fetches that were overtaken because they did not run. One that runs again takes its place
    /// in the queue.
    overtaken: BTreeMap<u64, Waker>,
    numbers: u64,
    /// The time since when a turn is free and has not been taken by the next fetch.
    free_since: Option<Duration>,
}

#[derive(Debug)]
struct Holder {
    number: u64,
    /// The time at which the turn ends even if it was not returned.
    ends_at: Duration,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            limit: DEFAULT_LIMIT,
            one_at_a_time: false,
            holders: Vec::new(),
            queue: BTreeMap::new(),
            overtaken: BTreeMap::new(),
            numbers: 0,
            free_since: None,
        }
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes a turn for `number`, or for a fetch that does not wait yet. Returns the number of the
    /// turn, or `None` if other fetches come first.
    pub(super) fn take(
        &mut self,
        number: Option<u64>,
        now: Duration,
        ends_at: Duration,
    ) -> Option<u64> {
        self.holders.retain(|holder| now < holder.ends_at);
        let free = self.free();
        if free == 0 {
            self.free_since = None;
            return None;
        }
        let before = match number {
            Some(number) => self.queue.range(..number).take(free).count(),
            None => self.queue.len().min(free),
        };
        let is_next = before < free;
        let since = *self.free_since.get_or_insert(now);
        // those that come first do not run: their runtime is not driven
        if !is_next && now < since.saturating_add(GRACE) {
            return None;
        }
        let number = number.unwrap_or_else(|| self.next_number());
        if !is_next {
            let overtaken: Vec<_> = self
                .queue
                .range(..number)
                .take(free)
                .map(|(n, _)| *n)
                .collect();
            for number in overtaken {
                let waker = self.queue.remove(&number);
                self.overtaken.extend(waker.map(|waker| (number, waker)));
            }
        }
        self.queue.remove(&number);
        self.overtaken.remove(&number);
        self.holders.push(Holder { number, ends_at });
        if self.free() == 0 || self.queue.is_empty() {
            self.free_since = None;
        } else if is_next {
            self.free_since = Some(now);
        }
        Some(number)
    }

    /// Enters a fetch in the queue. Returns its number, and the waker that this one replaces.
    pub(super) fn wait(&mut self, number: Option<u64>, waker: Waker) -> (u64, Option<Waker>) {
        let number = number.unwrap_or_else(|| self.next_number());
        let replaced = self.overtaken.remove(&number);
        (number, self.queue.insert(number, waker).or(replaced))
    }

    /// Removes a fetch from the queue.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waker> {
        let overtaken = self.overtaken.remove(&number);
        self.queue.remove(&number).or(overtaken)
    }

    /// Returns a turn.
    pub(super) fn release(&mut self, number: u64, now: Duration) {
        self.holders.retain(|holder| holder.number != number);
        if self.free() > 0 && !self.queue.is_empty() {
            self.free_since.get_or_insert(now);
        }
    }

    /// Returns the wakers of the fetches that may take a turn.
    pub(super) fn next(&self) -> Vec<Waker> {
        self.queue.values().take(self.free()).cloned().collect()
    }

    /// Returns the wakers of all waiting fetches.
    pub(super) fn all(&self) -> Vec<Waker> {
        let waiting = self.queue.values().chain(self.overtaken.values());
        waiting.cloned().collect()
    }

    /// Returns the time at which a waiting fetch looks again although nothing woke it: the next one
    /// may not run, or a holder may never return its turn.
    pub(super) fn look_again_at(&self) -> Duration {
        let ends = self.holders.iter().map(|holder| holder.ends_at);
        let overtakes = self.free_since.map(|since| since.saturating_add(GRACE));
        ends.chain(overtakes).min().unwrap_or(Duration::MAX)
    }

    fn free(&self) -> usize {
        let limit = match self.one_at_a_time {
            true => 1,
            false => self.limit,
        };
        limit.saturating_sub(self.holders.len())
    }

    fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn turns(limit: usize) -> Turns {
        let mut turns = Turns::new();
        turns.set_limit(limit);
        turns
    }

    fn queued(turns: &mut Turns) -> u64 {
        turns.wait(None, Waker::noop().clone()).0
    }

    #[test]
    fn a_turn_goes_to_the_fetch_that_waits_longest() {
        let mut turns = turns(1);
        let holder = turns.take(None, at(0), at(10_000)).unwrap();
        let (first, second) = (queued(&mut turns), queued(&mut turns));
        assert_eq!(turns.take(Some(first), at(0), at(10_000)), None);
        turns.release(holder, at(1));
        assert_eq!(turns.take(None, at(1), at(10_000)), None, "a newcomer");
        assert_eq!(turns.take(Some(second), at(1), at(10_000)), None);
        assert_eq!(turns.take(Some(first), at(1), at(10_000)), Some(first));
        turns.leave(second);
        turns.release(first, at(2));
        assert!(turns.take(None, at(2), at(10_000)).is_some());
    }

    #[test]
    fn a_turn_that_is_never_returned_ends_with_its_attempt() {
        let mut turns = turns(1);
        turns.take(None, at(0), at(10_500)).unwrap();
        let waiting = queued(&mut turns);
        assert_eq!(turns.take(Some(waiting), at(10_499), at(21_000)), None);
        assert_eq!(turns.look_again_at(), at(10_500));
        assert!(turns.take(Some(waiting), at(10_500), at(21_000)).is_some());
    }

    #[test]
    fn fetches_that_do_not_run_are_overtaken_after_half_a_second() {
        let mut turns = turns(2);
        let held = [0, 0].map(|_| turns.take(None, at(0), at(10_500)).unwrap());
        for _ in 0..1000 {
            queued(&mut turns);
        }
        let [one, other] = [queued(&mut turns), queued(&mut turns)];
        for number in held {
            turns.release(number, at(1000));
        }
        assert_eq!(turns.take(Some(one), at(1499), at(12_000)), None);
        assert_eq!(turns.look_again_at(), at(1500));
        for number in [one, other] {
            assert!(turns.take(Some(number), at(1500), at(12_000)).is_some());
        }
    }

    #[test]
    fn one_at_a_time_is_a_limit_of_one() {
        let mut turns = turns(16);
        let first = turns.take(None, at(0), at(10_500)).unwrap();
        turns.one_at_a_time = true;
        assert_eq!(turns.take(None, at(0), at(10_500)), None);
        turns.release(first, at(0));
        assert!(turns.take(None, at(0), at(10_500)).is_some());
        assert_eq!(turns.take(None, at(0), at(10_500)), None);
        turns.one_at_a_time = false;
        assert!(turns.take(None, at(0), at(10_500)).is_some());
    }
}
