use std::path::Path;

use plotters::prelude::*;
use simulated_fleet::BUCKET;

use super::panel::{self, Line, Panel, picture};
use crate::progress::Run;

/// The max peak-to-mean ratio from the eleventh period on.
const GOAL: f64 = 2.0;

/// Plots the peak-to-mean ratio by period, in a line for each fleet without a shared store.
pub(crate) fn periods(path: &Path, runs: &[Run]) -> anyhow::Result<()> {
    const PERIODS: f64 = 24.0;
    let root = picture(path, 560)?;
    let runs = runs.iter().filter(|run| !run.scenario.shared_store);
    let mut lines: Vec<_> = runs
        .enumerate()
        .map(|(number, Run { scenario, record })| {
            let periods = record.peak_to_mean(scenario.period, BUCKET);
            let points = periods
                .iter()
                .enumerate()
                .map(|(n, peak)| (n as f64 + 1.0, *peak));
            Line {
                name: Some(scenario.name.clone()),
                color: panel::color(number),
                points: points.take_while(|(n, _)| *n <= PERIODS).collect(),
            }
        })
        .collect();
    lines.push(Line {
        name: Some("goal after the tenth period".to_owned()),
        color: BLACK.mix(0.6),
        points: vec![(11.0, GOAL), (PERIODS, GOAL)],
    });
    Panel {
        title: "Highest 10 s of a period over its mean, no store, L = 600 s".to_owned(),
        x: (
            "period (426 s; 450 s where the window is 20 %, 420 s where it is 25 %, 390 s where it is 30 %)",
            1.0..PERIODS,
            vec![],
        ),
        y: ("peak / mean", 1.0..50.0),
        lines,
    }
    .draw_logarithmic(&root)?;
    root.present()?;
    Ok(())
}
