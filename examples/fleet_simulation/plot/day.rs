use std::path::Path;

use plotters::prelude::*;
use simulated_fleet::{BUCKET, Scenario, rates};

use super::panel::{self, Line, Panel, picture};
use crate::{day, progress::Run};

/// Plots the token requests per second over the day, in a panel for each fleet.
pub(crate) fn day(path: &Path, runs: &[Run]) -> anyhow::Result<()> {
    let runs = &runs[..day::WHOLE_DAYS];
    let root = picture(path, 240 * runs.len() as u32 + 30)?;
    let title = format!(
        "Token requests per second of {} processes started within 1 s, L = 600 s",
        runs[0].scenario.processes
    );
    let panels = root
        .titled(&title, panel::title())?
        .split_evenly((runs.len(), 1));
    for (area, Run { scenario, record }) in panels.iter().zip(runs) {
        let rates = rates(&record.requests, BUCKET);
        let max = rates.iter().copied().fold(0.0, f64::max);
        let hours = scenario.length.as_secs_f64() / 3600.0;
        let top = match scenario.shared_store {
            true => 0.4,
            false => (6.0 * mean(scenario)).min(max * 1.1),
        };
        let highest = match max > top {
            true => format!(", {max:.0} at max: beyond the panel"),
            false => String::new(),
        };
        Panel {
            title: format!(
                "{}: {} token requests in all{highest}",
                scenario.name,
                record.total()
            ),
            x: ("hours since the start", 0.0..hours, vec![]),
            y: ("requests / s", 0.0..top),
            lines: vec![Line {
                name: None,
                color: BLUE.mix(0.9),
                points: envelope(&rates, top),
            }],
        }
        .draw(area)?;
    }
    root.present()?;
    Ok(())
}

fn mean(scenario: &Scenario) -> f64 {
    scenario.processes as f64 / scenario.period.as_secs_f64()
}

/// Returns the min and the max of each column, so that a day needs no more points than the picture is
/// wide.
fn envelope(rates: &[f64], top: f64) -> Vec<(f64, f64)> {
    const COLUMNS: usize = 720;
    let width = rates.len().div_ceil(COLUMNS).max(1);
    let columns = rates.chunks(width).enumerate();
    columns
        .flat_map(|(column, rates)| {
            let hour = (column * width) as f64 * BUCKET.as_secs_f64() / 3600.0;
            let min = rates.iter().copied().fold(f64::INFINITY, f64::min);
            let max = rates.iter().copied().fold(0.0, f64::max);
            [(hour, min.min(top)), (hour, max.min(top))]
        })
        .collect()
}
