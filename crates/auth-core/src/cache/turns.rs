//! Turns: the token requests of one source that may be in flight at once, and the queue of the
//! others.

use std::{
    collections::{BTreeMap, VecDeque},
    task::Waker,
    time::Duration,
};

use super::turn_order::{Order, RANKS, Rank, passed_over};
use crate::{Error, ErrorKind};

/// After its deadline a fetch has this long to finish before the cache abandons it: its runtime may
/// be busy. A fetch has the same time to take its turn.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// The default maximum of token requests in flight at once.
pub(super) const DEFAULT_LIMIT: usize = 16;

/// A token request that fails after this time, or times out, is a slow failure.
const SLOW: Duration = Duration::from_secs(2);

/// After a denial the new caches send one token request at a time for as long as each takes less than
/// this. With the attempt of those that wait, it is less than their patience.
const TRIAL: Duration = Duration::from_secs(1);

/// The time for which a slow failure counts. It is longer than the backoff of a cache without a token
/// and its next attempt together.
const SLOW_COUNTS_FOR: Duration = Duration::from_secs(60);

/// Which caches send one token request at a time, to find out whether the client is still denied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OneAtATime {
    None,
    /// The new and the slow ones together.
    New,
    All,
}

/// The turns of one source, and the fetches that wait for one.
///
/// - A turn goes to the first rank in which a fetch waits, and within a rank to the fetch that has
///   waited longest. Every fourth turn goes to the fetch of the lower ranks that has waited longest,
///   unless an eighth of the turns is held in this way. No rank therefore waits forever.
/// - Slow failures count for a minute, up to half of the turns. Each of them takes a turn from the
///   caches that may cause the next ones: with a limit of 16 and eight slow failures, the last rank
///   holds 2 turns, the last two ranks hold 6, and the last three ranks hold 8. Caches that have a
///   token, and the default cache, find turns free.
/// - While the count is at its maximum, the newest fetch of a rank comes first, and each further slow
///   failure moves the new caches that wait to the rank below. Keys that fail slowly often come
///   together, and those that come later do not wait for them. Every fourth turn then goes to the
///   fetch that has waited longest, of any rank.
///
/// A fetch takes its turn when its task is polled, and is not handed one. A task whose runtime is
/// not driven therefore blocks no turn for longer than [`GRACE`], and a turn ends with the time of
/// its attempt even if it is never returned.
#[derive(Debug)]
pub(super) struct Turns {
    limit: usize,
    pub(super) one_at_a_time: OneAtATime,
    holders: Vec<Holder>,
    /// The waiting fetches of each rank, by their numbers, which ascend.
    queues: [BTreeMap<u64, Waker>; RANKS],
    /// The fetches that were overtaken because they did not run. One that runs again takes its place
    /// in the queue.
    overtaken: BTreeMap<u64, Waker>,
    numbers: u64,
    /// The number of turns in a row that passed over the fetch that has waited longest.
    passed_over: u32,
    /// The times of the last slow failures, at most as many as half of the turns.
    slow_failures: VecDeque<Duration>,
    /// The time since when a turn is free and has not been taken by the next fetch.
    free_since: Option<Duration>,
}

#[derive(Debug)]
struct Holder {
    number: u64,
    rank: Rank,
    /// Whether the fetch came first because it had waited longest.
    waited_longest: bool,
    taken_at: Duration,
    /// The time at which the turn ends even if it was not returned.
    ends_at: Duration,
}

/// Returns whether the failure of a token request after this time is a slow one.
pub(super) fn is_slow_failure(error: &Error, after: Duration) -> bool {
    error.kind() == ErrorKind::Timeout || after >= SLOW
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            limit: DEFAULT_LIMIT,
            one_at_a_time: OneAtATime::None,
            holders: Vec::new(),
            queues: Default::default(),
            overtaken: BTreeMap::new(),
            numbers: 0,
            passed_over: 0,
            slow_failures: VecDeque::new(),
            free_since: None,
        }
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Records a slow failure.
    pub(super) fn failed_slowly(&mut self, now: Duration) {
        self.slow_failures.push_back(now);
        while self.slow_failures.len() > self.half() {
            self.slow_failures.pop_front();
        }
        if self.is_newest_first() {
            let [_, _, new, waited, _] = &mut self.queues;
            waited.append(new);
        }
    }

    /// Records that a cache whose last token request was a slow failure was issued a token.
    pub(super) fn recovered(&mut self) {
        self.slow_failures.pop_front();
    }

    /// Takes a turn for `number`, or for a fetch that does not wait yet. Returns the number of the
    /// turn, or `None` if other fetches come first.
    pub(super) fn take(
        &mut self,
        number: Option<u64>,
        rank: Rank,
        now: Duration,
        ends_at: Duration,
    ) -> Option<u64> {
        self.holders.retain(|holder| now < holder.ends_at);
        self.end_slow_trial(now);
        if self.free() == 0 {
            self.free_since = None;
            return None;
        }
        self.slow_failures
            .retain(|failed| now < failed.saturating_add(SLOW_COUNTS_FOR));
        let number = number.unwrap_or_else(|| self.next_number());
        let rank = self.rank_of(number, rank);
        // a fetch outside the queue competes as if it were in it
        let queue = &mut self.queues[rank as usize];
        let is_queued = queue.contains_key(&number);
        if !is_queued {
            queue.insert(number, Waker::noop().clone());
        }
        let order = self.order();
        let (first, longest_waiting) = (order.first(), order.longest_waiting());
        let is_taken = self.may_take(number, rank, now);
        if is_taken || !is_queued {
            self.queues[rank as usize].remove(&number);
        }
        if !is_taken {
            return None;
        }
        self.overtaken.remove(&number);
        let fetch = (rank, number);
        self.passed_over = passed_over(self.passed_over, longest_waiting, fetch);
        self.holders.push(Holder {
            number,
            rank,
            waited_longest: Some(fetch) == longest_waiting && Some(fetch) != first,
            taken_at: now,
            ends_at,
        });
        if self.next_fetches().is_empty() {
            self.free_since = None;
        }
        Some(number)
    }

    /// Lets the caches send more than one token request at a time, if the one that is sent is slow: a
    /// cache whose requests hang would keep all of them waiting.
    fn end_slow_trial(&mut self, now: Duration) {
        let on_trial = match self.one_at_a_time {
            OneAtATime::None => return,
            OneAtATime::New => Rank::New,
            OneAtATime::All => Rank::Default,
        };
        let is_slow = |holder: &Holder| {
            holder.rank >= on_trial && now >= holder.taken_at.saturating_add(TRIAL)
        };
        if self.holders.iter().any(is_slow) {
            self.one_at_a_time = OneAtATime::None;
        }
    }

    /// Returns whether a fetch in the queue may take a turn. Then the fetches that did not take it
    /// leave the queue.
    fn may_take(&mut self, number: u64, rank: Rank, now: Duration) -> bool {
        let next = self.next_fetches();
        if next.is_empty() {
            self.free_since = None;
            return false;
        }
        let since = *self.free_since.get_or_insert(now);
        if next.contains(&(rank, number)) {
            self.free_since = Some(now);
        } else if now < since.saturating_add(GRACE) || self.room()[rank as usize] == 0 {
            return false;
        } else {
            // those that come first do not run: their runtime is not driven
            for (rank, number) in next {
                let waker = self.queues[rank as usize].remove(&number);
                self.overtaken.extend(waker.map(|waker| (number, waker)));
            }
        }
        true
    }

    /// Enters a fetch in the queue. Returns its number, and the waker that this one replaces.
    pub(super) fn wait(
        &mut self,
        number: Option<u64>,
        rank: Rank,
        waker: Waker,
    ) -> (u64, Option<Waker>) {
        let number = number.unwrap_or_else(|| self.next_number());
        let rank = self.rank_of(number, rank);
        let replaced = self.overtaken.remove(&number);
        let queue = &mut self.queues[rank as usize];
        (number, queue.insert(number, waker).or(replaced))
    }

    /// Removes a fetch from the queue.
    pub(super) fn leave(&mut self, number: u64, rank: Rank) -> Option<Waker> {
        let overtaken = self.overtaken.remove(&number);
        let rank = self.rank_of(number, rank);
        self.queues[rank as usize].remove(&number).or(overtaken)
    }

    /// Returns a turn.
    pub(super) fn release(&mut self, number: u64, now: Duration) {
        self.holders.retain(|holder| holder.number != number);
        if !self.next_fetches().is_empty() {
            self.free_since.get_or_insert(now);
        }
    }

    /// Returns the wakers of the fetches that may take a turn.
    pub(super) fn next(&self) -> Vec<Waker> {
        let next = self.next_fetches().into_iter();
        next.filter_map(|(rank, number)| self.queues[rank as usize].get(&number).cloned())
            .collect()
    }

    /// Returns the wakers of all waiting fetches.
    pub(super) fn all(&self) -> Vec<Waker> {
        let queued = self.queues.iter().flat_map(BTreeMap::values);
        queued.chain(self.overtaken.values()).cloned().collect()
    }

    /// Returns the time at which a waiting fetch looks again although nothing woke it: the next one
    /// may not run, or a holder may never return its turn.
    pub(super) fn look_again_at(&self) -> Duration {
        let ends = self.holders.iter().map(|holder| holder.ends_at);
        let overtakes = self.free_since.map(|since| since.saturating_add(GRACE));
        ends.chain(overtakes).min().unwrap_or(Duration::MAX)
    }

    /// Returns the fetches that may take a turn, in order.
    fn next_fetches(&self) -> Vec<(Rank, u64)> {
        if self.free() == 0 {
            return Vec::new();
        }
        let mut order = self.order();
        (0..self.free()).map_while(|_| order.pop()).collect()
    }

    fn order(&self) -> Order<'_> {
        Order {
            waiting: self.queues.each_ref().map(BTreeMap::keys),
            room: self.room(),
            room_for_longest: (self.limit / 8).max(1).saturating_sub(
                self.holders
                    .iter()
                    .filter(|holder| holder.waited_longest)
                    .count(),
            ),
            newest_first: self.is_newest_first(),
            passed_over: self.passed_over,
        }
    }

    /// Returns how many fetches of each rank may take a turn.
    fn room(&self) -> [usize; RANKS] {
        let holders = |from| {
            self.holders
                .iter()
                .filter(move |holder| holder.rank >= from)
        };
        let (limit, failures) = (self.limit, self.slow_failures.len());
        let left = |kept: usize| limit.saturating_sub(kept).max(1);
        let for_new = match self.one_at_a_time {
            OneAtATime::New => 1,
            _ => left(failures),
        };
        let free = self.free();
        let new = free.min(for_new.saturating_sub(holders(Rank::New).count()));
        let for_waited = left(failures * 5 / 4);
        let waited = new.min(for_waited.saturating_sub(holders(Rank::Waited).count()));
        let for_slow = left(failures * 7 / 4);
        let slow = waited.min(for_slow.saturating_sub(holders(Rank::Slow).count()));
        [free, free, new, waited, slow]
    }

    fn free(&self) -> usize {
        let limit = match self.one_at_a_time {
            OneAtATime::All => 1,
            _ => self.limit,
        };
        limit.saturating_sub(self.holders.len())
    }

    fn is_newest_first(&self) -> bool {
        self.slow_failures.len() >= self.half()
    }

    /// Returns the rank of a fetch that entered the queue with this one.
    fn rank_of(&self, number: u64, entered: Rank) -> Rank {
        let [_, _, _, waited, _] = &self.queues;
        match waited.contains_key(&number) {
            true => Rank::Waited,
            false => entered,
        }
    }

    fn half(&self) -> usize {
        (self.limit / 2).max(1)
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
        queued_as(turns, Rank::New)
    }

    fn queued_as(turns: &mut Turns, rank: Rank) -> u64 {
        turns.wait(None, rank, Waker::noop().clone()).0
    }

    fn take(turns: &mut Turns, number: Option<u64>, now: u64, ends_at: u64) -> Option<u64> {
        turns.take(number, Rank::New, at(now), at(ends_at))
    }

    /// Lets the waiting fetches take turn after turn, and returns them in order.
    fn in_order(turns: &mut Turns, count: usize) -> Vec<Rank> {
        let mut taken = Vec::new();
        for _ in 0..count {
            let (rank, number) = turns.next_fetches()[0];
            turns.take(Some(number), rank, at(0), at(10_500)).unwrap();
            turns.release(number, at(0));
            taken.push(rank);
        }
        taken
    }

    #[test]
    fn a_turn_goes_to_the_fetch_that_waits_longest() {
        let mut turns = turns(1);
        let holder = take(&mut turns, None, 0, 10_000).unwrap();
        let (first, second) = (queued(&mut turns), queued(&mut turns));
        assert_eq!(take(&mut turns, Some(first), 0, 10_000), None);
        turns.release(holder, at(1));
        assert_eq!(take(&mut turns, None, 1, 10_000), None, "a newcomer");
        assert_eq!(take(&mut turns, Some(second), 1, 10_000), None);
        assert_eq!(take(&mut turns, Some(first), 1, 10_000), Some(first));
        turns.leave(second, Rank::New);
        turns.release(first, at(2));
        assert!(take(&mut turns, None, 2, 10_000).is_some());
    }

    #[test]
    fn a_turn_that_is_never_returned_ends_with_its_attempt() {
        let mut turns = turns(1);
        take(&mut turns, None, 0, 10_500).unwrap();
        let waiting = queued(&mut turns);
        assert_eq!(take(&mut turns, Some(waiting), 10_499, 21_000), None);
        assert_eq!(turns.look_again_at(), at(10_500));
        assert!(take(&mut turns, Some(waiting), 10_500, 21_000).is_some());
    }

    #[test]
    fn fetches_that_do_not_run_are_overtaken_after_half_a_second() {
        let mut turns = turns(2);
        let held = [0, 0].map(|_| take(&mut turns, None, 0, 10_500).unwrap());
        for _ in 0..1000 {
            queued_as(&mut turns, Rank::Established);
        }
        let [one, other] = [queued(&mut turns), queued(&mut turns)];
        for number in held {
            turns.release(number, at(1000));
        }
        assert_eq!(take(&mut turns, Some(one), 1499, 12_000), None);
        assert_eq!(turns.look_again_at(), at(1500));
        for number in [one, other] {
            assert!(take(&mut turns, Some(number), 1500, 12_000).is_some());
        }
    }

    #[test]
    fn a_slow_trial_ends_one_at_a_time() {
        for (mode, rank) in [
            (OneAtATime::All, Rank::Default),
            (OneAtATime::New, Rank::New),
        ] {
            let mut turns = turns(16);
            turns.one_at_a_time = mode;
            assert!(turns.take(None, rank, at(0), at(10_500)).is_some());
            assert_eq!(turns.take(None, Rank::New, at(999), at(10_500)), None);
            let second = turns.take(None, Rank::New, at(1000), at(11_500));
            assert!(
                second.is_some(),
                "a request that hangs keeps the others waiting"
            );
        }
    }

    #[test]
    fn one_at_a_time_is_a_limit_of_one() {
        let mut turns = turns(16);
        let first = take(&mut turns, None, 0, 10_500).unwrap();
        turns.one_at_a_time = OneAtATime::All;
        assert_eq!(take(&mut turns, None, 0, 10_500), None);
        turns.release(first, at(0));
        assert!(take(&mut turns, None, 0, 10_500).is_some());
        assert_eq!(take(&mut turns, None, 0, 10_500), None);
        turns.one_at_a_time = OneAtATime::New;
        assert_eq!(take(&mut turns, None, 0, 10_500), None);
        let established = turns.take(None, Rank::Established, at(0), at(10_500));
        assert!(established.is_some(), "it is not new");
        turns.one_at_a_time = OneAtATime::None;
        assert!(take(&mut turns, None, 0, 10_500).is_some());
    }

    #[test]
    fn every_fourth_turn_goes_to_the_lower_ranks() {
        use Rank::{Default, Established, New, Slow};

        let mut turns = turns(1);
        for rank in [New, Slow, New] {
            queued_as(&mut turns, rank);
        }
        for _ in 0..20 {
            queued_as(&mut turns, Established);
        }
        queued_as(&mut turns, Default);
        let mut expected = vec![Default, Established, Established, New];
        for lower in [Slow, New] {
            expected.extend([Established, Established, Established, lower]);
        }
        expected.extend([Established; 4]);
        assert_eq!(in_order(&mut turns, 16), expected);
    }

    #[test]
    fn slow_failures_leave_turns_to_established_caches() {
        let mut turns = turns(16);
        let take = |turns: &mut Turns, rank, now| turns.take(None, rank, at(now), at(1_000_000));
        for now in 0..100 {
            turns.failed_slowly(at(now));
        }
        for (rank, room) in [
            (Rank::Slow, 2),
            (Rank::Waited, 4),
            (Rank::New, 2),
            (Rank::Established, 7),
        ] {
            for _ in 0..room {
                assert!(take(&mut turns, rank, 100).is_some(), "{rank:?}");
            }
            if rank != Rank::Established {
                assert_eq!(take(&mut turns, rank, 100), None, "{rank:?}");
            }
        }
        // a minute later
        assert!(take(&mut turns, Rank::Slow, 60_100).is_some());
        assert_eq!(take(&mut turns, Rank::Default, 60_100), None, "the limit");
    }

    #[test]
    fn successes_of_caches_that_failed_slowly_end_what_follows_from_slow_failures() {
        let mut turns = turns(16);
        for now in 0..100 {
            turns.failed_slowly(at(now));
        }
        assert_eq!(turns.room(), [16, 16, 8, 6, 2]);
        (0..8).for_each(|_| turns.recovered());
        assert_eq!(turns.room(), [16; 5]);
    }

    #[test]
    fn after_slow_failures_the_newest_comes_first_and_every_fourth_turn_is_the_oldest_ones() {
        let mut turns = turns(2);
        turns.failed_slowly(at(0));
        let numbers: Vec<_> = (0..8).map(|_| queued(&mut turns)).collect();
        let mut taken = Vec::new();
        for _ in 0..8 {
            let [(rank, number)] = turns.next_fetches()[..] else {
                panic!("one turn is kept");
            };
            turns.take(Some(number), rank, at(0), at(10_500)).unwrap();
            turns.release(number, at(0));
            taken.push(numbers.iter().position(|one| *one == number).unwrap());
        }
        assert_eq!(taken, [7, 6, 5, 0, 4, 3, 2, 1]);
    }
}
