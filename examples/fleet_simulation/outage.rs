//! An outage of the authorization server of ten minutes. After it, the server can serve the whole fleet
//! in 100 s.

use std::time::Duration;

use auth_core::{RefreshPolicy, RefreshPolicyBuilder};
use simulated_fleet::{Capacity, Outage, Overload, Scenario, Silence};

use crate::{args::Args, progress::Run};

const OUTAGE: Duration = Duration::from_secs(600);
/// The start of the outage, two hours after the start of the fleet.
const FROM: Duration = Duration::from_secs(2 * 3600);
const SIMULATED: Duration = Duration::from_secs(3 * 3600);

/// The number of scenarios in the plot.
pub(crate) const DRAWN: usize = 3;

pub(crate) fn scenarios(args: &Args) -> anyhow::Result<Vec<Scenario>> {
    let unavailable = scenario(args.processes, args.seed, Silence::Unavailable)?;
    let no_answer = scenario(args.processes, args.seed, Silence::NoAnswer)?;
    let policy = |name: &str, builder: RefreshPolicyBuilder| -> anyhow::Result<Scenario> {
        let name = format!("503, {name}");
        Ok(Scenario {
            name,
            policy: builder.build()?,
            ..unavailable.clone()
        })
    };
    let defaults = RefreshPolicy::builder;
    let half_a_minute = Duration::from_secs(30);
    Ok(vec![
        Scenario {
            name: "no store, 503".into(),
            ..unavailable.clone()
        },
        Scenario {
            name: "no store, no answer".into(),
            ..no_answer.clone()
        },
        Scenario {
            name: "shared store, no answer".into(),
            shared_store: true,
            ..no_answer
        },
        Scenario {
            name: "shared store, 503".into(),
            shared_store: true,
            ..unavailable.clone()
        },
        policy(
            "window 20 % ± 25 %",
            defaults().window(0.2, FROM).jitter(0.25),
        )?,
        policy(
            "backoff up to 30 s without a token",
            defaults().max_backoff_without_token(half_a_minute),
        )?,
        busy("503, then 429 with Retry-After: 10", &unavailable, 0),
        busy("503, then 429 with Retry-After: 10 to 20", &unavailable, 10),
    ])
}

fn scenario(processes: usize, seed: u64, silence: Silence) -> anyhow::Result<Scenario> {
    let share = |seconds: usize| u32::try_from((processes / seconds).max(1));
    Ok(Scenario {
        capacity: Some(Capacity {
            per_second: share(100)?,
            // the requests of two seconds
            queue: share(50)?,
            beyond: Overload::Unavailable,
        }),
        outage: Some(Outage {
            from: FROM,
            length: OUTAGE,
            silence,
        }),
        ..Scenario::new(processes, SIMULATED, seed)
    })
}

fn busy(name: &str, base: &Scenario, spread: u64) -> Scenario {
    let beyond = Overload::TooManyRequests {
        retry_after: 10,
        spread,
    };
    let capacity = base
        .capacity
        .map(|capacity| Capacity { beyond, ..capacity });
    Scenario {
        name: name.to_owned(),
        capacity,
        ..base.clone()
    }
}

pub(crate) fn table(runs: &[Run]) -> String {
    let mut table = "\
| fleet | processes | requests during the outage | max in 1 s | in the 10 min after | max in 1 s | all have a token after | without a token, mean | store operations, max in 1 s |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
"
    .to_owned();
    for Run { scenario, record } in runs {
        let end = FROM + OUTAGE;
        let during = record.requests(FROM, end);
        let after = record.requests(end, end + OUTAGE);
        let recovered = record.recovered_after(end);
        table += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.0} s | {} |\n",
            scenario.name,
            scenario.processes,
            sum(during),
            max(during),
            sum(after),
            max(after),
            recovered.map_or("–".to_owned(), |after| format!("{} s", after.as_secs())),
            record.time_without_token(FROM, end + OUTAGE).as_secs_f64() / scenario.processes as f64,
            if scenario.shared_store {
                max(&record.store_operations).to_string()
            } else {
                "–".into()
            },
        );
    }
    table
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|count| u64::from(*count)).sum()
}

fn max(counts: &[u32]) -> u32 {
    counts.iter().max().copied().unwrap_or_default()
}
