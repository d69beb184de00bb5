//! Checks of the servers of `redis_server` without the crates of this workspace. If these tests pass and a
//! test against a server fails, the cause is not the server.

mod lifecycle;
mod permissions;
mod sentinels_and_clusters;
mod transports;

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};

use crate::redis_server::Program;

pub(super) const BOTH: [Program; 2] = [Program::Redis, Program::Valkey];

async fn connect(url: &str) -> Result<MultiplexedConnection> {
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(30)))
        .set_response_timeout(Some(Duration::from_secs(30)));
    let client = Client::open(url)?;
    Ok(client
        .get_multiplexed_async_connection_with_config(&patient)
        .await?)
}

async fn answers(url: &str) -> Result<()> {
    ping(&mut connect(url).await?).await.map_err(Into::into)
}

async fn ping(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    redis::cmd("PING").exec_async(connection).await
}

fn code(rejected: Result<(), RedisError>, code: &str) -> Result<()> {
    let error = rejected
        .err()
        .with_context(|| format!("{code} should have come"))?;
    let found = error.code().unwrap_or_default();
    ensure!(found == code, "{code} should have come, not {error}");
    Ok(())
}

/// Returns the state of the process by proc(5): `S`, `T`, …. `None` if there is no such process.
fn state(pid: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    status.rsplit_once(") ")?.1.chars().next()
}
