//! A figure, its bar, and whether the bar holds.

use std::fmt;

use crate::paired::{Estimate, quantile};

use super::rounds::{Directory, Error, Rounds, undisturbed_rounds};

/// The worst of fewer rounds is no statement about caches: a mode that a third of them have may be missed.
pub(super) const ROUNDS_OF_A_WORST: usize = 40;

/// The bar that a figure has to meet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bar {
    AtLeast(f64),
    AtMost(f64),
    /// The lower bound of the interval, not the median.
    LowerBoundAtLeast(f64),
    /// The highest value of all rounds, not the median.
    WorstAtMost(f64),
    /// The only value.
    CountAtMost(u32),
}

impl Bar {
    fn judge(self, mut values: Vec<f64>) -> Outcome {
        let rounds = values.len();
        match self {
            Self::CountAtMost(bar) => {
                let count = values.first().copied().unwrap_or(f64::INFINITY);
                let holds = count <= f64::from(bar);
                Outcome::Measured(format!("{count:.0}"), holds)
            }
            Self::WorstAtMost(bar) => {
                if rounds < ROUNDS_OF_A_WORST {
                    let needed = format!(
                        "{rounds} rounds in which no other machine used the core, {ROUNDS_OF_A_WORST} are needed"
                    );
                    return Outcome::NotMeasured(needed);
                }
                values.sort_by(f64::total_cmp);
                let (p99, worst) = (quantile(&values, 0.99), values[rounds - 1]);
                let shown = format!("{worst:.3}, 99th percentile {p99:.3}");
                Outcome::Measured(shown, worst <= bar)
            }
            Self::AtLeast(_) | Self::AtMost(_) | Self::LowerBoundAtLeast(_) => {
                let Some(measured) = Estimate::of(values) else {
                    return Outcome::NotMeasured(format!("{rounds} rounds, 6 are needed"));
                };
                let holds = match self {
                    Self::AtLeast(bar) => measured.median >= bar,
                    Self::LowerBoundAtLeast(bar) => measured.low >= bar,
                    Self::AtMost(bar) | Self::WorstAtMost(bar) => measured.median <= bar,
                    Self::CountAtMost(bar) => measured.median <= f64::from(bar),
                };
                Outcome::Measured(measured.to_string(), holds)
            }
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bar) => write!(f, "≥ {bar:.2}"),
            Self::AtMost(bar) | Self::WorstAtMost(bar) => write!(f, "≤ {bar:.2}"),
            Self::LowerBoundAtLeast(bar) => write!(f, "lower bound ≥ {bar:.2}"),
            Self::CountAtMost(0) => f.write_str("0"),
            Self::CountAtMost(bar) => write!(f, "≤ {bar}"),
        }
    }
}

/// The result of a figure, or the reason why it has none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    NotRun,
    /// And why.
    NotMeasured(String),
    /// The figure, and whether its bar holds.
    Measured(String, bool),
}

/// A line of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) bar: Bar,
    pub(super) outcome: Outcome,
}

impl Row {
    pub(super) fn was_not_run(&self) -> bool {
        self.outcome == Outcome::NotRun
    }
}

/// The computation of a figure from the times of one round.
pub(super) struct Figure {
    pub(super) what: &'static str,
    pub(super) bar: Bar,
    pub(super) group: &'static str,
    pub(super) functions: &'static [&'static str],
    /// Computes the figure from the times of `functions`, in their order.
    pub(super) compute: fn(&[f64]) -> f64,
}

impl Figure {
    /// # Errors
    ///
    /// If the times of a function cannot be read, or are not of the same run as the others.
    pub(super) fn row(&self, directory: &Directory) -> Result<Row, Error> {
        let all = read(directory, self.group, self.functions)?;
        let mut what = self.what.to_owned();
        if let Some(one) = all
            .iter()
            .flatten()
            .find(|one| one.threads > one.processors)
        {
            what = format!("{what}, on {}", processors(one.processors));
        }
        let outcome = all.map_or(Outcome::NotRun, |all| outcome(&all, self.compute, self.bar));
        Ok(Row {
            what,
            bar: self.bar,
            outcome,
        })
    }
}

fn processors(count: usize) -> String {
    match count {
        1 => "1 processor".to_owned(),
        more => format!("{more} processors"),
    }
}

/// Returns the rounds of all functions. `None` if one of them has not been run.
///
/// # Errors
///
/// If they cannot be read, or are not of one run.
pub(super) fn read(
    directory: &Directory,
    group: &str,
    functions: &[&str],
) -> Result<Option<Vec<Rounds>>, Error> {
    let read = functions
        .iter()
        .map(|function| directory.read(group, function));
    let Some(all) = read.collect::<Result<Option<Vec<_>>, _>>()? else {
        return Ok(None);
    };
    let one_run = all
        .windows(2)
        .all(|two| two[0].run == two[1].run && two[0].times.len() == two[1].times.len());
    if !one_run {
        let functions = functions.join(", ");
        let error =
            format!("the times of {group}: {functions} are not of one run; run the bench again");
        return Err(error.into());
    }
    Ok(Some(all))
}

/// Computes a figure in each round in which all threads had their cores to themselves, and judges it.
pub(super) fn outcome(all: &[Rounds], compute: fn(&[f64]) -> f64, bar: Bar) -> Outcome {
    if let Some(why) = all.iter().find_map(|one| one.void.clone()) {
        return Outcome::NotMeasured(why);
    }
    let values = undisturbed_rounds(all).map(|times| compute(&times));
    bar.judge(values.collect())
}
