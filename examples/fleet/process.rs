//! Starts and observes one process of the fleet.

use std::{
    env,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use local_redis::Redis;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{servers::Servers, worker};

/// The numbers that a process reports.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) token_requests: u64,
    pub(crate) tokens_from_redis: u64,
}

impl Counts {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            ok: self.ok + other.ok,
            failed: self.failed + other.failed,
            token_requests: self.token_requests + other.token_requests,
            tokens_from_redis: self.tokens_from_redis + other.tokens_from_redis,
        }
    }

    pub(crate) fn requests(self) -> u64 {
        self.ok + self.failed
    }

    fn parse(line: &str) -> Option<Self> {
        let report: Value = serde_json::from_str(line).ok()?;
        let member = |name: &str| report[name].as_u64();
        Some(Self {
            ok: member("ok")?,
            failed: member("failed")?,
            token_requests: member("token_requests")?,
            tokens_from_redis: member("tokens_from_redis")?,
        })
    }
}

/// A process of the fleet, killed when this value is dropped.
pub(crate) struct Process {
    child: Child,
    last_report: Arc<Mutex<Counts>>,
}

impl Process {
    pub(crate) fn start(
        tasks: u16,
        servers: &Servers,
        redis: Option<&Redis>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command
            .args(["--worker", "--tasks", &tasks.to_string()])
            .env(worker::TOKEN_URL, servers.token_url())
            .env(worker::API_URL, servers.api_url())
            .env(worker::SEAL_KEY, servers.seal_key());
        if let Some(redis) = redis {
            command.env(worker::REDIS_URL, redis.url());
        }
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = streams.kill_on_drop(true).spawn()?;
        let output = child.stdout.take().context("the process has no stdout")?;
        let last_report = Arc::new(Mutex::new(Counts::default()));
        let report = Arc::clone(&last_report);
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(counts) = Counts::parse(&line) {
                    *report.lock().unwrap_or_else(PoisonError::into_inner) = counts;
                }
            }
        });
        Ok(Self { child, last_report })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Returns the last reported counts.
    pub(crate) fn counts(&self) -> Counts {
        *self
            .last_report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}
