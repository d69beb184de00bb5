//! The order in which waiting fetches take turns: by rank, and by how long they have waited.

use std::{collections::btree_map::Keys, task::Waker};

/// One turn in this number goes to the fetch that has waited longest, if the ranks pass one over.
const LONGEST_WAITING_EVERY: u32 = 4;

pub(super) const RANKS: usize = 5;

/// The ranks of caches, the first one first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Rank {
    /// The source's own cache.
    Default,
    /// Caches that were issued a token.
    Established,
    /// Caches that never were.
    New,
    /// New caches that waited when one of many slow failures occurred.
    Waited,
    /// Caches whose last token request was a slow failure.
    Slow,
}

/// The waiting fetches, in the order of their turns.
pub(super) struct Order<'a> {
    pub(super) waiting: [Keys<'a, u64, Waker>; RANKS],
    /// How many fetches of each rank may take a turn.
    pub(super) room: [usize; RANKS],
    /// How many fetches may take a turn because they have waited longest.
    pub(super) room_for_longest: usize,
    pub(super) newest_first: bool,
    pub(super) passed_over: u32,
}

impl Rank {
    const ALL: [Self; RANKS] = [
        Self::Default,
        Self::Established,
        Self::New,
        Self::Waited,
        Self::Slow,
    ];
}

impl Order<'_> {
    /// Removes and returns the next fetch.
    pub(super) fn pop(&mut self) -> Option<(Rank, u64)> {
        let first = self.first()?;
        let longest = self.longest_waiting();
        let is_due = self.passed_over.saturating_add(1) >= LONGEST_WAITING_EVERY;
        let (rank, number) = longest.filter(|_| is_due).unwrap_or(first);
        let is_longest = Some((rank, number)) == longest && (rank, number) != first;
        self.room_for_longest -= usize::from(is_longest);
        self.passed_over = passed_over(self.passed_over, longest, (rank, number));
        let waiting = &mut self.waiting[rank as usize];
        match waiting.clone().next() == Some(&number) {
            true => waiting.next(),
            false => waiting.next_back(),
        };
        let [_, _, new, waited, slow] = &mut self.room;
        *new = new.saturating_sub(usize::from(rank >= Rank::New));
        *waited = waited
            .saturating_sub(usize::from(rank >= Rank::Waited))
            .min(*new);
        *slow = slow
            .saturating_sub(usize::from(rank == Rank::Slow))
            .min(*waited);
        Some((rank, number))
    }

    /// Returns the next fetch by rank.
    pub(super) fn first(&self) -> Option<(Rank, u64)> {
        self.ranks().find_map(|rank| {
            let mut waiting = self.waiting[rank as usize].clone();
            let number = match self.newest_first {
                true => waiting.next_back(),
                false => waiting.next(),
            };
            Some((rank, *number?))
        })
    }

    /// Returns the fetch that has waited longest, of those that the ranks pass over.
    pub(super) fn longest_waiting(&self) -> Option<(Rank, u64)> {
        if self.room_for_longest == 0 {
            return None;
        }
        let (first, _) = self.first()?;
        let passed_over = self
            .ranks()
            .filter(|rank| self.newest_first || *rank > first);
        let oldest = passed_over
            .filter_map(|rank| Some((rank, *self.waiting[rank as usize].clone().next()?)));
        oldest.min_by_key(|(_, number)| *number)
    }

    /// Returns the ranks of which a fetch may take a turn.
    fn ranks(&self) -> impl Iterator<Item = Rank> {
        let room = self.room;
        Rank::ALL
            .into_iter()
            .filter(move |rank| room[*rank as usize] > 0)
    }
}

/// Returns the number of turns in a row that passed over the fetch that has waited longest, after one
/// more turn.
pub(super) fn passed_over(
    so_far: u32,
    longest_waiting: Option<(Rank, u64)>,
    taken: (Rank, u64),
) -> u32 {
    match longest_waiting {
        Some(longest) if longest != taken => so_far.saturating_add(1),
        _ => 0,
    }
}
