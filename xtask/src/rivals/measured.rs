//! Figures from the files of a run, or the reasons why they were not measured.

use anyhow::{Error, Result};
use bench_support::{
    paired::Estimate,
    report::{Directory, Rounds, undisturbed_rounds},
};

/// A figure, or why there is none.
pub(crate) type Measured<T> = std::result::Result<T, String>;

/// A median over rounds, and the interval where there are enough rounds for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Median {
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
}

/// Computes a figure in each round from the times of these functions of a group.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn figure(
    directory: &Directory,
    group: &str,
    functions: &[&str],
    compute: fn(&[f64]) -> f64,
) -> Result<Measured<Median>> {
    let mut all: Vec<Rounds> = Vec::new();
    for function in functions {
        match directory.read(group, function).map_err(Error::from_boxed)? {
            Some(rounds) => all.push(rounds),
            None => return Ok(Err("the bench has not been run".to_owned())),
        }
    }
    if let Some(why) = all.iter().find_map(|one| one.void.clone()) {
        return Ok(Err(why));
    }
    let is_one_run =
        |two: &[Rounds]| two[0].run == two[1].run && two[0].times.len() == two[1].times.len();
    if !all.windows(2).all(is_one_run) {
        return Ok(Err("the times are not of one run".to_owned()));
    }
    let values = undisturbed_rounds(&all).map(|times| compute(&times));
    Ok(median(values.collect()))
}

/// Returns the time of a function.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn time(directory: &Directory, group: &str, function: &str) -> Result<Measured<Median>> {
    figure(directory, group, &[function], |times| times[0])
}

/// Returns the ratio of two functions, within a round.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn ratio(
    directory: &Directory,
    group: &str,
    functions: [&str; 2],
) -> Result<Measured<Median>> {
    figure(directory, group, &functions, |times| times[0] / times[1])
}

fn median(mut values: Vec<f64>) -> Measured<Median> {
    if let Some(estimate) = Estimate::of(values.clone()) {
        return Ok(Median {
            value: estimate.median,
            interval: Some((estimate.low, estimate.high)),
        });
    }
    values.sort_by(f64::total_cmp);
    match (values.get(values.len() / 2), values.len() % 2) {
        (None, _) => Err("no round was measured".to_owned()),
        (Some(&value), 1) => Ok(Median {
            value,
            interval: None,
        }),
        (Some(&upper), _) => Ok(Median {
            value: f64::midpoint(values[values.len() / 2 - 1], upper),
            interval: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rounds_have_a_median_without_an_interval() {
        let of = |values: &[f64]| median(values.to_vec()).map(|one| (one.value, one.interval));
        assert_eq!(of(&[3.0, 1.0, 8.0]), Ok((3.0, None)));
        assert_eq!(of(&[3.0, 1.0]), Ok((2.0, None)));
        assert_eq!(of(&[]), Err("no round was measured".to_owned()));
        assert_eq!(of(&[1.0; 6]), Ok((1.0, Some((1.0, 1.0)))));
    }
}
