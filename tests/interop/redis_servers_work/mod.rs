//! The servers of `redis_server` start, answer, and do what a test tells them: when a test of ours
//! against one fails, and these pass, the fault is ours. Each is spoken to the way a client would.

mod groups;
mod life;
mod rights;
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

fn code(refused: Result<(), RedisError>, code: &str) -> Result<()> {
    let error = refused
        .err()
        .with_context(|| format!("{code} should have come"))?;
    let found = error.code().unwrap_or_default();
    ensure!(found == code, "{code} should have come, not {error}");
    Ok(())
}

/// The state that proc(5) has for it: `S`, `T`, …; none if there is no such process.
fn state(pid: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    status.rsplit_once(") ")?.1.chars().next()
}
