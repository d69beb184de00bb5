//! Makes the requests.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    failure::Failure,
    schedule::Schedule,
    tally::Tally,
    tenants::{Tenant, Tenants},
};

/// Longest that one request may take, its token included.
const LONGEST: Duration = Duration::from_secs(30);

/// Makes requests as `schedule` says, `concurrency` at a time at most, until it is over or
/// interrupted (Ctrl-C); what came of them is in `tally`, with whole bodies if `whole_bodies`.
pub(crate) async fn run(
    tenants: Arc<Tenants>,
    schedule: Schedule,
    concurrency: usize,
    whole_bodies: bool,
    tally: &Arc<Tally>,
) -> anyhow::Result<()> {
    let schedule = Arc::new(schedule);
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        workers.spawn(work(
            Arc::clone(&tenants),
            Arc::clone(&schedule),
            whole_bodies,
            Arc::clone(tally),
        ));
    }
    let finished = async {
        while let Some(worker) = workers.join_next().await {
            worker?;
        }
        Ok(())
    };
    tokio::select! {
        finished = finished => finished,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn work(
    tenants: Arc<Tenants>,
    schedule: Arc<Schedule>,
    whole_bodies: bool,
    tally: Arc<Tally>,
) {
    while schedule.next().await {
        let Tenant { stack, tokens, .. } = tenants.next();
        let start = Instant::now();
        let before = tokens.cached();
        let mut outcome = timeout(LONGEST, stack.send(whole_bodies))
            .await
            .unwrap_or_else(|_| Err(Failure::timeout(LONGEST)));
        let latency = start.elapsed();
        if let Ok(answer) = &mut outcome {
            // it carried the one or the other
            let after = tokens.cached();
            for authorization in before.iter().chain(&after) {
                answer.redact(authorization);
            }
        }
        tally.add(outcome, latency);
    }
}
