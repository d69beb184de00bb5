//! The figures of the benches, and their bars.

use std::fmt;

use anyhow::Result;

use bench_support::paired::Estimate;

use super::samples::Samples;

/// The bar that a figure has to meet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bar {
    AtLeast(f64),
    AtMost(f64),
    /// The lower bound of the interval, not the median.
    LowerBoundAtLeast(f64),
}

impl Bar {
    fn holds(self, measured: Estimate) -> bool {
        match self {
            Self::AtLeast(bar) => measured.median >= bar,
            Self::AtMost(bar) => measured.median <= bar,
            Self::LowerBoundAtLeast(bar) => measured.low >= bar,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bar) => write!(f, "≥ {bar:.2}"),
            Self::AtMost(bar) => write!(f, "≤ {bar:.2}"),
            Self::LowerBoundAtLeast(bar) => write!(f, "lower bound ≥ {bar:.2}"),
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) what: String,
    bar: Bar,
    /// `None` if the bench has not been run.
    pub(super) measured: Option<Estimate>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} | ", self.what, self.bar)?;
        match self.measured {
            None => f.write_str("not run | |"),
            Some(measured) if self.bar.holds(measured) => write!(f, "{measured} | holds |"),
            Some(measured) => write!(f, "{measured} | **does not hold** |"),
        }
    }
}

/// The computation of a figure from the times of one round.
struct Figure {
    what: &'static str,
    bar: Bar,
    group: &'static str,
    functions: &'static [&'static str],
    /// Computes the figure from the times of `functions`, in their order.
    compute: fn(&[f64]) -> f64,
}

/// The first function over the second.
fn ratio(times: &[f64]) -> f64 {
    times[0] / times[1]
}

const FIGURES: &[Figure] = &[
    Figure {
        what: "hit, header out, over the floor, 1 thread",
        bar: Bar::AtMost(1.20),
        group: "token_read",
        functions: &["auth_core_cached/1", "floor/1"],
        compute: ratio,
    },
    Figure {
        what: "hit, header out, over the floor, 2 threads",
        bar: Bar::AtMost(1.20),
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
        what: "`token().await` on a hit, over the floor, 1 thread",
        bar: Bar::AtMost(2.0),
        group: "token_read",
        functions: &["auth_core_token_await/1", "floor/1"],
        compute: ratio,
    },
    Figure {
        what: "`token().await` on a hit, over the floor, 2 threads",
        bar: Bar::AtMost(2.0),
        group: "token_read",
        functions: &["auth_core_token_await/2", "floor/2"],
        compute: ratio,
    },
    Figure {
        what: "time that the tower layer adds on a hit, replay off, over what tower-http's static \
               `AddAuthorization` adds",
        bar: Bar::AtMost(2.5),
        group: "middleware",
        functions: &[
            "tower_auth_no_replay",
            "tower_http_add_authorization",
            "tower_bare",
        ],
        compute: |times| (times[0] - times[2]) / (times[1] - times[2]),
    },
    Figure {
        what: "the same, with the body recorded for a replay",
        bar: Bar::AtMost(10.0),
        group: "middleware",
        functions: &["tower_auth", "tower_http_add_authorization", "tower_bare"],
        compute: |times| (times[0] - times[2]) / (times[1] - times[2]),
    },
    Figure {
        what: "keyed hit over a bare map and arc-swap, 1 key",
        bar: Bar::AtMost(1.3),
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
        bar: Bar::AtMost(1.3),
        group: "keyed",
        functions: &["auth_core/100000", "bare/100000"],
        compute: ratio,
    },
    Figure {
        what: "the last of 10,000 waiters, over a bare `watch` broadcast",
        bar: Bar::AtMost(2.0),
        group: "herd",
        functions: &["auth_core/10000", "watch_broadcast/10000"],
        compute: ratio,
    },
    Figure {
        what: "throughput of hyper over loopback with the layer, over without",
        bar: Bar::LowerBoundAtLeast(0.95),
        group: "loopback",
        // a time is the inverse of a throughput
        functions: &["hyper_bare", "hyper_auth"],
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
];

/// # Errors
///
/// If the samples of a bench cannot be read.
pub(super) fn all(ours: &Samples, peers: &Samples) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for figure in FIGURES {
        rows.push(Row {
            what: figure.what.to_owned(),
            bar: figure.bar,
            measured: ours.estimate(figure.group, figure.functions, figure.compute)?,
        });
    }
    rows.push(against_the_fastest_library(peers)?);
    Ok(rows)
}

/// The fastest other library that hands out a ready header or a checked token. The name of one that does
/// not check the expiry ends in `_unchecked`.
fn against_the_fastest_library(peers: &Samples) -> Result<Row> {
    let mut best: Option<(String, f64)> = None;
    for name in peers.functions("peers")? {
        if name == "auth_core" || name.ends_with("_unchecked") {
            continue;
        }
        let time = peers.estimate("peers", &[&format!("{name}/2")], |times| times[0])?;
        if let Some(time) = time
            && best.as_ref().is_none_or(|(_, least)| time.median < *least)
        {
            best = Some((name, time.median));
        }
    }
    let mut row = Row {
        what: "a read by the fastest other library, over ours, 2 threads".to_owned(),
        bar: Bar::AtLeast(5.0),
        measured: None,
    };
    if let Some((name, _)) = best {
        let functions = [&*format!("{name}/2"), "auth_core/2"];
        row.measured = peers.estimate("peers", &functions, ratio)?;
        row.what = format!("a read by the fastest other library (`{name}`), over ours, 2 threads");
    }
    Ok(row)
}
