//! A process of the fleet, as the one that started it sees it.

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

use crate::{place::Place, worker};

/// What a process has told of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fares {
    pub(crate) ok: u64,
    pub(crate) failed: u64,
    pub(crate) token_requests: u64,
    pub(crate) shared: u64,
}

impl Fares {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            ok: self.ok + other.ok,
            failed: self.failed + other.failed,
            token_requests: self.token_requests + other.token_requests,
            shared: self.shared + other.shared,
        }
    }

    fn read(line: &str) -> Option<Self> {
        let told: Value = serde_json::from_str(line).ok()?;
        let member = |name: &str| told[name].as_u64();
        Some(Self {
            ok: member("ok")?,
            failed: member("failed")?,
            token_requests: member("token_requests")?,
            shared: member("shared")?,
        })
    }
}

/// Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    told: Arc<Mutex<Fares>>,
}

impl Process {
    pub(crate) fn start(tasks: u16, place: &Place, redis: Option<&Redis>) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command
            .args(["--worker", "--tasks", &tasks.to_string()])
            .env(worker::TOKEN_URL, place.token_url())
            .env(worker::API_URL, place.api_url())
            .env(worker::SEAL_KEY, place.seal_key());
        if let Some(redis) = redis {
            command.env(worker::REDIS_URL, redis.url());
        }
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = streams.kill_on_drop(true).spawn()?;
        let output = child.stdout.take().context("no output")?;
        let told = Arc::new(Mutex::new(Fares::default()));
        let hears = Arc::clone(&told);
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(fares) = Fares::read(&line) {
                    *hears.lock().unwrap_or_else(PoisonError::into_inner) = fares;
                }
            }
        });
        Ok(Self { child, told })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// What it has told last.
    pub(crate) fn fares(&self) -> Fares {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is running.
    pub(crate) fn lives(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}
