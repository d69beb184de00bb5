use std::{path::Path, time::Duration};

use simulated_fleet::{Outage, rates};

use super::panel::{self, Line, Panel, picture};
use crate::{outage, progress::Run};

/// The time before and after the start of the outage that is plotted.
const BEFORE: Duration = Duration::from_secs(300);
const AFTER: Duration = Duration::from_secs(1500);
const BUCKET: Duration = Duration::from_secs(2);
/// The interval of the plotted samples, in seconds.
const SAMPLE_INTERVAL: u64 = 5;

/// Plots the token requests and the processes without a token, before, during and after the outage.
pub(crate) fn outage(path: &Path, runs: &[Run]) -> anyhow::Result<()> {
    let runs = &runs[..outage::DRAWN];
    let first = &runs[0].scenario;
    let (Some(outage), Some(capacity)) = (first.outage, first.capacity) else {
        return Ok(());
    };
    let x = || {
        let shown = minutes(outage, outage.from - BEFORE)..minutes(outage, outage.from + AFTER);
        let shaded = minutes(outage, outage.from)..minutes(outage, outage.end());
        (
            "minutes since the outage began (shaded)",
            shown,
            vec![shaded],
        )
    };
    let requests = lines(runs, |run| requests(outage, run));
    let rates = requests.iter().flat_map(|line| &line.points);
    let max = rates.map(|(_, rate)| *rate).fold(0.0, f64::max);
    let title = format!(
        "{} processes and 10 minutes without an authorization server",
        first.processes
    );
    let root = picture(path, 760)?;
    let panels = root.titled(&title, panel::title())?.split_evenly((2, 1));
    Panel {
        title: format!(
            "Token requests per second (means of 2 s); the server can serve {}",
            capacity.per_second
        ),
        x: x(),
        y: ("requests / s", 0.0..max * 1.1),
        lines: requests,
    }
    .draw(&panels[0])?;
    Panel {
        title: "Processes without a usable token".to_owned(),
        x: x(),
        y: ("%", 0.0..105.0),
        lines: lines(runs, |run| without_token(outage, run)),
    }
    .draw(&panels[1])?;
    root.present()?;
    Ok(())
}

fn minutes(outage: Outage, at: Duration) -> f64 {
    (at.as_secs_f64() - outage.from.as_secs_f64()) / 60.0
}

fn lines(runs: &[Run], points: impl Fn(&Run) -> Vec<(f64, f64)>) -> Vec<Line> {
    let runs = runs.iter().enumerate();
    runs.map(|(number, run)| Line {
        name: Some(run.scenario.name.clone()),
        color: panel::color(number),
        points: points(run),
    })
    .collect()
}

fn requests(outage: Outage, run: &Run) -> Vec<(f64, f64)> {
    let start = outage.from - BEFORE;
    let shown = run.record.requests(start, outage.from + AFTER);
    let rates = rates(shown, BUCKET).into_iter().enumerate();
    rates
        .map(|(n, rate)| (minutes(outage, start + BUCKET.mul_f64(n as f64)), rate))
        .collect()
}

fn without_token(outage: Outage, run: &Run) -> Vec<(f64, f64)> {
    let shown = outage.from - BEFORE..outage.from + AFTER;
    let samples = run.record.samples.iter();
    samples
        .filter(|(at, _)| shown.contains(at) && at.as_secs().is_multiple_of(SAMPLE_INTERVAL))
        .map(|(at, without)| {
            let share = *without as f64 / run.scenario.processes as f64;
            (minutes(outage, *at), 100.0 * share)
        })
        .collect()
}
