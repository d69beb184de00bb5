//! The test of the harness: code whose threads contend comes out as such if the threads have a processor
//! each, and does not if they share one.
//!
//! The times are those for which a thread had a processor. Other load therefore lowers a ratio, when it
//! keeps two threads from running at the same time, and hardly ever raises one. So the best of several
//! medians counts.

use std::sync::RwLock;

use crate::processors::{available, share_a_core};

use super::*;

const ATTEMPTS: usize = 30;

/// Returns the places of two threads on two cores. `None`, and a loud message, if there are none.
fn two_cores() -> Option<Places> {
    let why = match available() {
        Err(why) => why.clone(),
        Ok(all) if all.len() < 2 => "the process may use one processor only".to_owned(),
        Ok(all) if share_a_core(all[0], all[1]) => "there is one core only".to_owned(),
        Ok(all) => return Some(Places::Pinned(all[..2].to_vec())),
    };
    eprintln!("SKIPPED, the harness was not tested: {why}");
    None
}

/// Returns the places of two threads on one processor.
fn one_processor() -> Option<Places> {
    match available() {
        Err(why) => {
            eprintln!("SKIPPED, the harness was not tested: {why}");
            None
        }
        Ok(all) => Some(Places::Pinned(vec![all[0]; 2])),
    }
}

/// Returns the median ratio of nine rounds: the best of the attempts, up to the first that shows contention.
fn best(round: impl Fn() -> Round) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..ATTEMPTS {
        best = best.max(median_ratio(&round));
        if best >= LEAST_RATIO {
            break;
        }
    }
    best
}

/// Out of 300 rounds of threads that shared a processor, three were above 1.5, on a machine with a load of 8.
fn median_ratio(round: impl Fn() -> Round) -> f64 {
    let mut ratios = [(); 9].map(|()| round().ratio());
    ratios.sort_by(f64::total_cmp);
    ratios[4]
}

/// Reads under a lock: one of each thread, or one for all.
fn locks(places: &Places) -> Round {
    let times = 50_000;
    let locks = [const { Padded(RwLock::new(1_u64)) }; 2];
    let read = |lock: usize| {
        let Padded(lock) = &locks[lock];
        move || std::hint::black_box(*lock.read().unwrap())
    };
    let own = threads::at(places, times, read);
    let shared = threads::at(places, times, |_| read(0));
    Round::new(times, own, shared)
}

#[test]
fn a_counter_for_all_comes_out_contended_on_two_processors() {
    let Some(places) = two_cores() else { return };
    let best = best(|| counters(&places, 200_000));
    assert!(best >= LEAST_RATIO, "{best:.2}");
}

#[test]
fn a_lock_for_all_comes_out_contended_on_two_processors() {
    let Some(places) = two_cores() else { return };
    let best = best(|| locks(&places));
    assert!(best >= LEAST_RATIO, "{best:.2}");
}

#[test]
fn two_threads_on_one_processor_are_void() {
    let Some(places) = one_processor() else {
        return;
    };
    let probe = Probe::at(&places);
    let void = probe.void();
    assert!(
        void.as_ref()
            .is_some_and(|why| why.contains("did not run at the same time")),
        "{probe}: {void:?}"
    );
}

#[test]
fn a_lock_for_all_does_not_come_out_contended_on_one_processor() {
    let Some(places) = one_processor() else {
        return;
    };
    let ratio = median_ratio(|| locks(&places));
    assert!(ratio < LEAST_RATIO, "{ratio:.2}");
}

#[test]
fn the_verdict_of_a_probe() {
    let probe = |threads, ratio, running| Probe {
        threads,
        pinned: true,
        own: 2.0,
        shared: 2.0 * ratio,
        ratio,
        running,
    };
    assert_eq!(probe(2, 2.0, 1.0).void(), None);
    assert!(probe(2, 1.99, 1.0).void().is_some());
    // the threads of other programs took turns with these, which nevertheless met
    assert_eq!(probe(2, 3.0, 0.6).void(), None);
    // eight threads of which four had a processor at a time
    assert!(probe(8, 6.0, 0.5).void().is_some());
    assert_eq!(probe(8, 6.0, 0.99).void(), None);
    assert!(probe(1, 1.0, 1.0).void().is_some());
}
