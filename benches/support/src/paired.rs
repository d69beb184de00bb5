//! What is known of a figure that was measured once in each of many rounds.
//!
//! Both the benches and `cargo xtask bench-report` compute with it, so that they say the same.

use std::fmt;

/// The median over the rounds, and the bounds between which it lies with 95 % confidence.
///
/// The bounds are two of the measured values, as far from the ends as a fair coin allows (the
/// interval of the sign test): exact for any distribution, so a round in which the machine did
/// something else moves it no further than any other, and the same each time it is computed. The
/// price is an interval a quarter wider than Student's where there is no noise but a normal one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Estimate {
    /// Of the values of all rounds; `None` if there are fewer than six, too few for such bounds.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        let outside = outside(values.len())?;
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self {
            median,
            low: values[outside],
            high: values[values.len() - 1 - outside],
        })
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, low, high } = self;
        write!(f, "{median:.3} ({low:.3} to {high:.3})")
    }
}

/// How many of so many values lie outside the interval on either side: no more than that many of
/// them fall below the median in at most 2.5 % of all cases.
fn outside(values: usize) -> Option<usize> {
    let exactly = |below: usize| {
        (0..below).fold(0.5_f64.powf(values as f64), |probability, chosen| {
            probability * (values - chosen) as f64 / (chosen + 1) as f64
        })
    };
    let mut at_most = 0.0;
    (0..values / 2)
        .take_while(|&below| {
            at_most += exactly(below);
            at_most <= 0.025
        })
        .last()
}
