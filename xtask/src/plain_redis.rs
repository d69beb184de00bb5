//! A Redis for the tests that need only a URL.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// A start takes about 20 ms; the rest is for a busy machine.
const START: Duration = Duration::from_secs(30);
/// Waits until its stdin closes, which is when this program ends or is killed.
const WATCHDOG: &str = "read -r _; kill -9 \"$1\"";

/// A server on TCP without a password, which writes nothing to disk. Killed on drop.
#[derive(Debug)]
pub(crate) struct PlainRedis {
    port: u16,
    server: Child,
    watchdog: Option<Child>,
}

impl PlainRedis {
    /// Starts a server on a free port of 127.0.0.1, and returns when it responds.
    ///
    /// # Errors
    ///
    /// If the server ends, or does not respond within 30 s.
    pub(crate) fn start(program: &Path) -> Result<Self> {
        // another program may take the free port before the server does
        for _ in 0..5 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            drop(listener);
            let mut redis = Self::start_on(program, port)?;
            if redis.answers()? {
                return Ok(redis);
            }
        }
        bail!("{} ended at each of five starts", program.display())
    }

    /// `redis://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn start_on(program: &Path, port: u16) -> Result<Self> {
        let server = Command::new(program)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut redis = Self {
            port,
            server,
            watchdog: None,
        };
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", &redis.server.id().to_string()])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        redis.watchdog = Some(watchdog.context("cannot start sh")?);
        Ok(redis)
    }

    /// Waits until the server responds. Returns `false` if it has ended.
    fn answers(&mut self) -> Result<bool> {
        let start = Instant::now();
        while start.elapsed() < START {
            if self.server.try_wait()?.is_some() {
                return Ok(false);
            }
            if self.pong().is_ok_and(|reply| &reply == b"+PONG\r\n") {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("{} did not respond within {START:?}", self.url())
    }

    fn pong(&self) -> Result<[u8; 7]> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        connection.set_read_timeout(Some(START))?;
        connection.write_all(b"PING\r\n")?;
        let mut reply = [0; 7];
        connection.read_exact(&mut reply)?;
        Ok(reply)
    }
}

impl Drop for PlainRedis {
    fn drop(&mut self) {
        // the watchdog first: once the server has ended, its process id may be reused
        for child in self.watchdog.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
