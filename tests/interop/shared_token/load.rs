//! Tasks that read tokens repeatedly.

use std::{future::Future, time::Duration};

use anyhow::Result;
use auth_core::{Error, TokenCache};
use auth_testing::AuthorizationServer;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const TASKS: usize = 4;
const PAUSE: Duration = Duration::from_millis(5);

/// The observations of the tasks.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) reads: usize,
    pub(super) errors: Vec<Error>,
    /// The number of tokens that had ended when they were handed out.
    pub(super) ended: usize,
}

/// Reads tokens in several tasks of each process for as long as `events` take.
pub(super) async fn under_load(
    processes: &[TokenCache],
    server: &AuthorizationServer,
    events: impl Future<Output = Result<()>>,
) -> Result<Seen> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = JoinSet::new();
    for tokens in processes.iter().flat_map(|tokens| [tokens; TASKS]) {
        let (tokens, server, stopped) = (tokens.clone(), server.clone(), stopped.clone());
        tasks.spawn(async move {
            let mut seen = Seen::default();
            while !*stopped.borrow() {
                seen.reads += 1;
                match tokens.token().await {
                    Ok(token) if server.is_active(token.secret()) => {}
                    Ok(_) => seen.ended += 1,
                    Err(error) => seen.errors.push(error),
                }
                sleep(PAUSE).await;
            }
            seen
        });
    }
    let outcome = events.await;
    stop.send_replace(true);
    let mut all = Seen::default();
    for seen in tasks.join_all().await {
        all.reads += seen.reads;
        all.ended += seen.ended;
        all.errors.extend(seen.errors);
    }
    outcome.map(|()| all)
}

/// Waits until `server` has received this number of token requests.
pub(super) async fn asked(server: &AuthorizationServer, count: usize) -> Result<()> {
    let start = Instant::now();
    while server.token_requests() < count {
        anyhow::ensure!(
            start.elapsed() < Duration::from_secs(60),
            "{count} token requests"
        );
        sleep(PAUSE).await;
    }
    Ok(())
}

#[track_caller]
pub(super) fn nobody_noticed(seen: &Seen) {
    assert!(seen.reads > 100, "{seen:?}");
    assert!(seen.errors.is_empty(), "{:?}", seen.errors);
    assert_eq!(seen.ended, 0, "{seen:?}");
}
