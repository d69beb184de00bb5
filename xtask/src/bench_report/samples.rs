//! The samples that criterion keeps of a run.

use std::{fmt, fs, io::ErrorKind, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use bench_support::paired::Estimate;

/// A directory of criterion, with a sample for each round of a bench.
#[derive(Debug)]
pub(super) struct Samples(PathBuf);

impl Samples {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Returns the estimate of the figure that `compute` returns for the functions' times in each round.
    /// `None` if one of the functions has not been run.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or is not of the same run as the others.
    pub(super) fn estimate(
        &self,
        group: &str,
        functions: &[&str],
        compute: impl Fn(&[f64]) -> f64,
    ) -> Result<Option<Estimate>> {
        let mut all = Vec::new();
        for function in functions {
            match self.times(group, function)? {
                Some(times) => all.push(times),
                None => return Ok(None),
            }
        }
        let rounds = all.first().map_or(0, Vec::len);
        ensure!(
            all.iter().all(|times| times.len() == rounds),
            "the samples of {group}: {} differ in number, so they are not of one run; run the bench again",
            functions.join(", "),
        );
        let values = (0..rounds).map(|round| {
            let times: Vec<f64> = all.iter().map(|times| times[round]).collect();
            compute(&times)
        });
        let estimate = Estimate::of(values.collect());
        estimate
            .with_context(|| format!("{group}: expected ten rounds or more, got {rounds}"))
            .map(Some)
    }

    /// Returns the names of a group's functions, sorted. Empty if the group has not been run.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub(super) fn functions(&self, group: &str) -> Result<Vec<String>> {
        let directory = self.0.join(group);
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries,
        };
        let names = entries.and_then(|entries| {
            let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            entries.map(|entry| entry.map(name)).collect()
        });
        let mut names: Vec<_> =
            names.with_context(|| format!("cannot read {}", directory.display()))?;
        names.sort();
        Ok(names)
    }

    /// Returns the time of an iteration in nanoseconds, by round.
    fn times(&self, group: &str, function: &str) -> Result<Option<Vec<f64>>> {
        let file = self.0.join(group).join(function).join("new/sample.json");
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("cannot read {}", file.display()))?,
        };
        let times = per_iteration(&text);
        let what = "expected as many `iters` as `times`, all of them numbers";
        times
            .with_context(|| format!("cannot use {}: {what}", file.display()))
            .map(Some)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

fn per_iteration(sample: &str) -> Option<Vec<f64>> {
    let sample: Value = serde_json::from_str(sample).ok()?;
    let (times, iterations) = (sample["times"].as_array()?, sample["iters"].as_array()?);
    if times.len() != iterations.len() {
        return None;
    }
    let pairs = times.iter().zip(iterations);
    pairs
        .map(|(time, iterations)| Some(time.as_f64()? / iterations.as_f64()?))
        .collect()
}
