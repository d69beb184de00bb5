//! The figures of the benches, and their bars.

use crate::paired::Estimate;

use super::{
    rounds::{Directory, Error},
    rows::{self, Bar, Figure, Outcome, Row},
};

/// The first function over the second.
fn ratio(times: &[f64]) -> f64 {
    times[0] / times[1]
}

/// What the first function adds to the third, over what the second adds to it.
fn added(times: &[f64]) -> f64 {
    (times[0] - times[2]) / (times[1] - times[2])
}

fn only(times: &[f64]) -> f64 {
    times[0]
}

/// The bar for the median of a hit over the floor.
const HIT: Bar = Bar::AtMost(1.10);
/// The bar for the slowest of the fresh caches.
const WORST_HIT: Bar = Bar::WorstAtMost(1.35);

const FIGURES: &[Figure] = &[
    Figure {
        what: "hit, header out, over the floor, 1 thread",
        bar: HIT,
        group: "token_read",
        functions: &["auth_core_cached/1", "floor/1"],
        compute: ratio,
    },
    Figure {
        what: "hit, header out, over the floor, 1 thread, the worst of all caches",
        bar: WORST_HIT,
        group: "token_read",
        functions: &["auth_core_cached/1", "floor/1"],
        compute: ratio,
    },
    Figure {
        what: "hit, header out, over the floor, 2 threads",
        bar: HIT,
        group: "token_read",
        functions: &["auth_core_cached/2", "floor/2"],
        compute: ratio,
    },
    Figure {
        what: "hit, header out, over the floor, 2 threads, the worst of all caches",
        bar: WORST_HIT,
        group: "token_read",
        functions: &["auth_core_cached/2", "floor/2"],
        compute: ratio,
    },
    Figure {
        what: "hit at 2 threads over 1 thread, over the floor's own ratio",
        bar: Bar::AtMost(1.05),
        group: "token_read",
        functions: &[
            "auth_core_cached/2",
            "auth_core_cached/1",
            "floor/2",
            "floor/1",
        ],
        compute: |times| ratio(&times[..2]) / ratio(&times[2..]),
    },
    Figure {
        what: "hit in a program outside the workspace, over the floor there, 1 thread",
        bar: HIT,
        group: "token_read",
        functions: &["outside_auth_core_cached/1", "outside_floor/1"],
        compute: ratio,
    },
    Figure {
        what: "hit in a program outside the workspace, 1 thread, the worst of all caches",
        bar: WORST_HIT,
        group: "token_read",
        functions: &["outside_auth_core_cached/1", "outside_floor/1"],
        compute: ratio,
    },
    Figure {
        what: "hit in a program outside the workspace, over the floor there, 2 threads",
        bar: HIT,
        group: "token_read",
        functions: &["outside_auth_core_cached/2", "outside_floor/2"],
        compute: ratio,
    },
    Figure {
        what: "hit in a program outside the workspace, 2 threads, the worst of all caches",
        bar: WORST_HIT,
        group: "token_read",
        functions: &["outside_auth_core_cached/2", "outside_floor/2"],
        compute: ratio,
    },
    Figure {
        what: "hit, header out, over the floor, 8 threads",
        bar: HIT,
        group: "token_read",
        functions: &["auth_core_cached/8", "floor/8"],
        compute: ratio,
    },
    Figure {
        what: "hit by a long-lived reader, over the floor, 1 thread",
        bar: HIT,
        group: "token_read",
        functions: &["long_lived_auth_core_cached/1", "long_lived_floor/1"],
        compute: ratio,
    },
    Figure {
        what: "hit by a long-lived reader, over the floor, 1 thread, the worst window",
        bar: WORST_HIT,
        group: "token_read",
        functions: &["long_lived_auth_core_cached/1", "long_lived_floor/1"],
        compute: ratio,
    },
    Figure {
        what: "hit by long-lived readers, over the floor, 2 threads",
        bar: HIT,
        group: "token_read",
        functions: &["long_lived_auth_core_cached/2", "long_lived_floor/2"],
        compute: ratio,
    },
    Figure {
        what: "hit by long-lived readers, over the floor, 2 threads, the worst window",
        bar: WORST_HIT,
        group: "token_read",
        functions: &["long_lived_auth_core_cached/2", "long_lived_floor/2"],
        compute: ratio,
    },
    Figure {
        what: "hit by tasks that move between 2 workers of tokio, over the floor",
        bar: HIT,
        group: "token_read",
        functions: &["tokio_auth_core_cached/2", "tokio_floor/2"],
        compute: ratio,
    },
    Figure {
        what: "`token().await` on a hit, over the floor, 1 thread",
        bar: Bar::AtMost(1.5),
        group: "token_read",
        functions: &["auth_core_token_await/1", "floor/1"],
        compute: ratio,
    },
    Figure {
        what: "`token().await` on a hit, over the floor, 2 threads",
        bar: Bar::AtMost(1.5),
        group: "token_read",
        functions: &["auth_core_token_await/2", "floor/2"],
        compute: ratio,
    },
    Figure {
        what: "allocations of `cached()` on a hit",
        bar: Bar::CountAtMost(0),
        group: "middleware",
        functions: &["allocations_cached"],
        compute: only,
    },
    Figure {
        what: "allocations of `token().await` on a hit",
        bar: Bar::CountAtMost(0),
        group: "middleware",
        functions: &["allocations_token_await"],
        compute: only,
    },
    Figure {
        what: "time that the tower layer adds on a hit, replay off, over what `AddAuthorization` adds",
        bar: Bar::AtMost(2.0),
        group: "middleware",
        functions: &[
            "tower_auth_no_replay",
            "tower_http_add_authorization",
            "tower_bare",
        ],
        compute: added,
    },
    Figure {
        what: "time that the tower layer adds on a hit, body recorded, over what `AddAuthorization` adds",
        bar: Bar::AtMost(4.0),
        group: "middleware",
        functions: &["tower_auth", "tower_http_add_authorization", "tower_bare"],
        compute: added,
    },
    Figure {
        what: "keyed hit over a bare map and arc-swap, 1 key",
        bar: Bar::AtMost(1.25),
        group: "keyed",
        functions: &["auth_core/1", "bare/1"],
        compute: ratio,
    },
    Figure {
        what: "keyed hit over a bare map and arc-swap, 1,000 keys",
        bar: Bar::AtMost(1.3),
        group: "keyed",
        functions: &["auth_core/1000", "bare/1000"],
        compute: ratio,
    },
    Figure {
        what: "keyed hit over a bare map and arc-swap, 100,000 keys",
        bar: Bar::AtMost(1.6),
        group: "keyed",
        functions: &["auth_core/100000", "bare/100000"],
        compute: ratio,
    },
    Figure {
        what: "bytes per key, with a token of 900 characters",
        bar: Bar::CountAtMost(1_600),
        group: "keyed",
        functions: &["bytes_per_key"],
        compute: only,
    },
    Figure {
        what: "the last of 10,000 waiters, over a bare `watch` broadcast",
        bar: Bar::AtMost(1.5),
        group: "herd",
        functions: &["auth_core/10000", "watch_broadcast/10000"],
        compute: ratio,
    },
    Figure {
        what: "throughput over loopback with the layer, over the same header set by hand",
        bar: Bar::LowerBoundAtLeast(0.98),
        group: "loopback",
        // a time is the inverse of a throughput
        functions: &["hyper_static_header", "hyper_auth"],
        compute: ratio,
    },
    Figure {
        what: "hit with a shared store over without",
        bar: Bar::AtMost(1.02),
        group: "shared",
        functions: &["hit_with_store", "hit_without_store"],
        compute: ratio,
    },
    Figure {
        what: "99.9th percentile of a read while the token is replaced, over the floor's",
        bar: Bar::AtMost(2.0),
        group: "read_while_replaced",
        functions: &["auth_core_p99_9", "floor_p99_9"],
        compute: ratio,
    },
    Figure {
        what: "proofs of DPoP per second by ES256, over bare signatures of the same key",
        bar: Bar::AtLeast(0.8),
        group: "dpop",
        // a time is the inverse of a rate
        functions: &["es256_signature", "es256_proof"],
        compute: ratio,
    },
];

/// Returns the rows of the groups that `wanted` names.
///
/// # Errors
///
/// If the times of a bench cannot be read.
pub(super) fn ours(
    directory: &Directory,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Row>, Error> {
    let figures = FIGURES.iter().filter(|figure| wanted(figure.group));
    figures.map(|figure| figure.row(directory)).collect()
}

/// The functions of the group `peers` that measure no other library.
const NO_LIBRARIES: [&str; 2] = ["auth_core", "rwlock_by_hand"];

/// The fastest other library that does the same work: a checked token, a ready header. The name of a function
/// that returns what a library lends ends in `_lent`.
///
/// # Errors
///
/// If the times of a bench cannot be read.
pub(super) fn against_the_fastest_library(peers: &Directory) -> Result<Row, Error> {
    let mut row = Row {
        what: "a read by the fastest other library, over ours, 2 threads".to_owned(),
        bar: Bar::AtLeast(5.0),
        outcome: Outcome::NotRun,
    };
    let mut fastest: Option<(String, f64)> = None;
    let Some(ours) = peers.read("peers", "auth_core/2")? else {
        return Ok(row);
    };
    for name in peers.functions("peers")? {
        if NO_LIBRARIES.contains(&&*name) || name.ends_with("_lent") {
            continue;
        }
        let rounds = peers.read("peers", &format!("{name}/2"))?;
        // a library that is no longer measured leaves its times behind
        let rounds = rounds.filter(|rounds| rounds.run == ours.run);
        if let Some(time) = rounds.and_then(|rounds| Estimate::of(rounds.times))
            && fastest
                .as_ref()
                .is_none_or(|(_, least)| time.median < *least)
        {
            fastest = Some((name, time.median));
        }
    }
    let Some((name, _)) = fastest else {
        return Ok(row);
    };
    row.what = format!("a read by the fastest other library (`{name}`), over ours, 2 threads");
    let functions = [&*format!("{name}/2"), "auth_core/2"];
    if let Some(all) = rows::read(peers, "peers", &functions)? {
        row.outcome = if all.iter().all(|one| one.threads == 2) {
            rows::outcome(&all, ratio, row.bar)
        } else {
            Outcome::NotMeasured("the bench did not probe its threads".to_owned())
        };
    }
    Ok(row)
}
