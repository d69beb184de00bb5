//! One child process: it is started, awaited until it listens, and killed on drop.

use std::{
    ffi::OsStr,
    fmt,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};

/// A start takes less than a second on an idle machine.
const START: Duration = Duration::from_secs(60);

/// A running fixture.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: Log,
    /// The fixture ends when this pipe closes, also if the test process is killed.
    _stdin: Option<ChildStdin>,
}

impl Process {
    /// Runs `script ARGUMENTS` and waits for the line of JSON that a fixture prints when it listens.
    ///
    /// # Errors
    ///
    /// If the fixture ends, prints something else, or takes longer than a minute. The error contains its stderr.
    pub(crate) async fn start(
        interpreter: &OsStr,
        script: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<(Self, Value)> {
        let name = script.display().to_string();
        let mut child = Command::new(interpreter)
            .arg(script)
            .args(arguments)
            .env("FIXTURE_STDIN", "1")
            // the fixtures reach each other on loopback, without the proxy of the machine
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name} with {}", interpreter.display()))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let stderr = child.stderr.take().context("stderr is piped")?;

        let log = Log::default();
        let errors = tokio::spawn(log.clone().fill(stderr));
        let mut process = Self {
            _stdin: child.stdin.take(),
            child,
            log,
            name,
        };

        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        let read = timeout(START, stdout.read_line(&mut line)).await;
        match read.map(|read| (read, serde_json::from_str(&line))) {
            Ok((Ok(_), Ok(ready))) => {
                tokio::spawn(process.log.clone().fill(stdout));
                Ok((process, ready))
            }
            Ok((Ok(0), _)) => {
                let status = process.child.wait().await?;
                errors.await?;
                bail!(
                    "{process} ended before it was ready ({status}); {}",
                    process.log
                );
            }
            Ok((Ok(_), Err(_))) => bail!(
                "{process}: expected a line of JSON first, got {line:?}; {}",
                process.log
            ),
            Ok((Err(error), _)) => {
                Err(error).with_context(|| format!("cannot read from {process}"))
            }
            Err(_) => bail!("{process} was not ready after {START:?}; {}", process.log),
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{self}: {}", self.log);
        }
    }
}

/// The output of a fixture, which is read continuously so that a full pipe never blocks the fixture.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    async fn fill(self, from: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(from).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.is_empty() {
            f.write_str("nothing on stderr")
        } else {
            write!(f, "on stderr:\n{log}")
        }
    }
}
