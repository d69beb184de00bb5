//! Sends the requests.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    failure::Failure,
    results::Results,
    schedule::Schedule,
    tenants::{Tenant, Tenants},
};

/// The timeout of a request, which includes the time it waits for a token.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends requests at the times of `schedule`, of which at most `concurrency` are in flight at the same
/// time, and adds their results to `results`. Ends with the schedule or at Ctrl-C. Keeps whole bodies
/// if `whole_bodies`.
pub(crate) async fn run(
    tenants: Arc<Tenants>,
    schedule: Schedule,
    concurrency: usize,
    whole_bodies: bool,
    results: &Arc<Results>,
) -> anyhow::Result<()> {
    let schedule = Arc::new(schedule);
    let mut workers = JoinSet::new();
    for _ in 0..concurrency {
        workers.spawn(work(
            Arc::clone(&tenants),
            Arc::clone(&schedule),
            whole_bodies,
            Arc::clone(results),
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
    results: Arc<Results>,
) {
    while schedule.next().await {
        let Tenant { stack, tokens, .. } = tenants.next();
        let start = Instant::now();
        let before = tokens.cached();
        let mut outcome = timeout(REQUEST_TIMEOUT, stack.send(whole_bodies))
            .await
            .unwrap_or_else(|_| Err(Failure::timeout(REQUEST_TIMEOUT)));
        let latency = start.elapsed();
        if let Ok(response) = &mut outcome {
            // the request carried one of these
            let after = tokens.cached();
            for authorization in before.iter().chain(&after) {
                response.redact(authorization);
            }
        }
        results.add(outcome, latency);
    }
}
