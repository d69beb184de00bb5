//! The statistics of a figure that was measured once in each of many rounds.
//!
//! The benches and `cargo xtask bench-report` both use it, so that their results agree.

use std::fmt;

/// The median over the rounds, and the bounds between which it lies with 95 % confidence.
///
/// The bounds are two of the measured values, by the interval of the sign test. It is exact for any
/// distribution, an outlier moves it no further than any other value, and it is the same each time it
/// is computed. The price is an interval that is a quarter wider than Student's if the noise is normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Estimate {
    /// Returns the estimate from the values of all rounds. `None` if there are fewer than six, which are
    /// too few for these bounds.
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

/// Returns the value that this part of the sorted `values` does not exceed.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let rank = (values.len() as f64 * part).ceil() as usize;
    values[rank.clamp(1, values.len()) - 1]
}

/// Returns the number of values that lie outside the interval on either side. The probability that at
/// most this many of the values fall below the median is at most 2.5 %.
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
