//! One Redis for the tests that ask for no more than a URL.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// A start takes some 20 ms; the rest is for a busy machine.
const START: Duration = Duration::from_secs(30);
/// Reads until its stdin closes, and so until we end, even if we are killed.
const WATCHDOG: &str = "read -r _; kill -9 \"$1\"";

/// A server on TCP, without a password, that keeps nothing on disk; killed on drop.
#[derive(Debug)]
pub(crate) struct PlainRedis {
    port: u16,
    server: Child,
    watchdog: Option<Child>,
}

impl PlainRedis {
    /// Starts it on a free port of 127.0.0.1, and returns when it answers.
    ///
    /// # Errors
    ///
    /// It ends, or does not answer within 30 s.
    pub(crate) fn start(program: &Path) -> Result<Self> {
        // whose port somebody else may take in the meantime
        for _ in 0..5 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            drop(listener);
            let mut redis = Self::start_on(program, port)?;
            if redis.answers()? {
                return Ok(redis);
            }
        }
        bail!("{} ended whenever it was started", program.display())
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

    /// Whether it answers; not if it ended.
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
        bail!("{} did not answer after {START:?}", self.url())
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
        // the watchdog first: the id that it would kill is nobody's in a moment
        for child in self.watchdog.iter_mut().chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
