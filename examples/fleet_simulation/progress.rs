//! Runs scenarios in parallel, with a progress bar on stderr. Nothing is drawn if stderr is not a
//! terminal.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use simulated_fleet::{Record, Scenario, run};

/// A scenario and its record.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    pub(crate) record: Record,
}

/// Runs as many scenarios at the same time as there are processors. Each runs on one thread, so its
/// results do not depend on the others.
pub(crate) fn run_all(scenarios: Vec<Scenario>) -> anyhow::Result<Vec<Run>> {
    let length: Duration = scenarios.iter().map(|scenario| scenario.length).sum();
    let bar = ProgressBar::new(length.as_secs() / 60).with_style(ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} simulated minutes, {eta} left",
    )?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let waiting = Mutex::new(scenarios.into_iter().enumerate());
    let next = || {
        waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next()
    };
    let work = || {
        let mut done = Vec::new();
        while let Some((number, scenario)) = next() {
            done.push((number, run_one(scenario, &bar)?));
        }
        anyhow::Ok(done)
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut runs = thread::scope(|scope| -> anyhow::Result<Vec<_>> {
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        let mut runs = Vec::new();
        for worker in workers {
            let done = worker.join().ok().context("a simulation panicked")?;
            runs.extend(done?);
        }
        Ok(runs)
    })?;
    bar.finish_and_clear();
    runs.sort_by_key(|(number, _)| *number);
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

fn run_one(scenario: Scenario, bar: &ProgressBar) -> anyhow::Result<Run> {
    let record = run(&scenario, |minutes| bar.inc(minutes))
        .with_context(|| format!("creating the runtime of \"{}\"", scenario.name))?;
    Ok(Run { scenario, record })
}
