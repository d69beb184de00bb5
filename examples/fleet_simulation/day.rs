//! A day without outages: how evenly a fleet that started at once spreads its token requests.

use std::time::Duration;

use auth_core::RefreshPolicy;
use simulated_fleet::{BUCKET, Scenario};

use crate::{args::Args, progress::Run};

const LIFETIME: Duration = Duration::from_secs(600);
const HOUR: Duration = Duration::from_secs(3600);
/// The length of the scenarios that are compared by period only.
const TWENTY_PERIODS: Duration = Duration::from_secs(3 * 3600);

/// The number of scenarios that last the whole day. The scenarios after them are for comparison.
pub(crate) const WHOLE_DAYS: usize = 4;

pub(crate) fn scenarios(args: &Args) -> anyhow::Result<Vec<Scenario>> {
    let day = Duration::from_secs(args.hours * 3600);
    let with = |name: &str, length, window, jitter| -> anyhow::Result<Scenario> {
        let policy = RefreshPolicy::builder().window(window, HOUR).jitter(jitter);
        Ok(Scenario {
            name: name.to_owned(),
            lifetime: LIFETIME,
            policy: policy.build()?,
            period: LIFETIME.mul_f64(0.95 - window),
            ..Scenario::new(args.processes, length, args.seed)
        })
    };
    Ok(vec![
        with("no jitter", day, 0.24, 0.0)?,
        with("window 20 % ± 25 %", day, 0.2, 0.25)?,
        with("window 24 % ± 37.5 %, the default", day, 0.24, 0.375)?,
        Scenario {
            shared_store: true,
            ..with("the default, shared store", day, 0.24, 0.375)?
        },
        with("window 25 % ± 40 %", TWENTY_PERIODS, 0.25, 0.4)?,
        with("window 20 % ± 40 %", TWENTY_PERIODS, 0.2, 0.4)?,
        with("window 20 % ± 50 %", TWENTY_PERIODS, 0.2, 0.5)?,
        with("window 20 % ± 60 %", TWENTY_PERIODS, 0.2, 0.6)?,
        with("window 30 % ± 25 %", TWENTY_PERIODS, 0.3, 0.25)?,
    ])
}

pub(crate) fn table(runs: &[Run]) -> String {
    let mut table = "\
| fleet | hours | token requests | per process and hour | peak/mean, period 2 | 5 | 11 | 16 | 21 | store operations | max in 1 s | ever without a token |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
"
    .to_owned();
    for Run { scenario, record } in runs {
        let hours = scenario.length.as_secs_f64() / 3600.0;
        let per_process = record.total() as f64 / scenario.processes as f64 / hours;
        let periods = record.peak_to_mean(scenario.period, BUCKET);
        let peak = |period: usize| match periods.get(period - 1) {
            Some(peak) if !scenario.shared_store => format!("{peak:.2}"),
            Some(_) | None => "–".to_owned(),
        };
        let (operations, max) = match scenario.shared_store {
            true => (
                record
                    .store_operations
                    .iter()
                    .map(|n| u64::from(*n))
                    .sum::<u64>()
                    .to_string(),
                record
                    .store_operations
                    .iter()
                    .max()
                    .copied()
                    .unwrap_or_default()
                    .to_string(),
            ),
            false => ("–".to_owned(), "–".to_owned()),
        };
        table += &format!(
            "| {} | {hours} | {} | {per_process:.4} | {} | {} | {} | {} | {} | {operations} | {max} | {} |\n",
            scenario.name,
            record.total(),
            peak(2),
            peak(5),
            peak(11),
            peak(16),
            peak(21),
            record.most_without_token(Duration::from_secs(1)),
        );
    }
    table
}
