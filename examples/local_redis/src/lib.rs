//! A Redis server for examples and benches: the one at `REDIS_URL`, or a `redis-server` process of
//! their own.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use auth_core::{
    TokenRequest,
    shared_store::{SharedKey, SharedTokenStore},
};
use auth_redis::RedisStore;
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A Redis server. One that [`find`](Self::find) started is killed when this value is dropped.
#[derive(Debug)]
pub struct Redis {
    url: String,
    process: Option<ServerProcess>,
}

#[derive(Debug)]
struct ServerProcess {
    socket: PathBuf,
    child: Child,
}

impl Redis {
    /// Checks that the server at `REDIS_URL` can be used. If the variable is not set, starts a
    /// `redis-server` that listens on a socket in `directory`.
    ///
    /// # Errors
    ///
    /// The server at `REDIS_URL` cannot be used, or `redis-server` did not start within 10 s.
    pub async fn find(directory: &Path) -> anyhow::Result<Self> {
        if let Some(url) = env::var("REDIS_URL").ok().filter(|url| !url.is_empty()) {
            check(&url).await.context("REDIS_URL")?;
            return Ok(Self { url, process: None });
        }
        let socket = directory.join("redis.sock");
        let child = start(&socket)
            .await
            .context("no Redis server: install redis-server, or set REDIS_URL")?;
        Ok(Self {
            url: format!("redis+unix://{}", socket.display()),
            process: Some(ServerProcess { socket, child }),
        })
    }

    /// Returns the URL for `RedisStore::builder`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns whether [`find`](Self::find) started the server.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.process.is_some()
    }

    /// Kills the server if [`find`](Self::find) started it.
    ///
    /// # Errors
    ///
    /// The process cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(process) = &mut self.process {
            process.child.kill().await?;
        }
        Ok(())
    }

    /// Starts a killed server again. It is empty then.
    ///
    /// # Errors
    ///
    /// The server did not start within 10 s.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        if let Some(process) = &mut self.process {
            process.child = start(&process.socket).await?;
        }
        Ok(())
    }
}

impl fmt::Display for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.process {
            Some(_) => "a redis-server started for this run",
            None => "the Redis server at REDIS_URL",
        })
    }
}

/// Returns an error if no token can be loaded from the server.
async fn check(url: &str) -> anyhow::Result<()> {
    let store = RedisStore::builder(url).danger_plaintext(true).build()?;
    let key = SharedKey::new(["connection check"], &TokenRequest::default());
    store.load(&key).await?;
    Ok(())
}

/// Starts a server that stores nothing on disk and listens only on `socket`.
async fn start(socket: &Path) -> anyhow::Result<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no"])
        .args(["--unixsocketperm", "700", "--unixsocket"])
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("redis-server")?;
    let deadline = Instant::now() + START_TIMEOUT;
    while UnixStream::connect(socket).await.is_err() {
        if let Some(status) = child.try_wait()? {
            bail!("redis-server ended: {status}");
        }
        if Instant::now() > deadline {
            bail!("redis-server does not listen on its socket {START_TIMEOUT:?} after its start");
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(child)
}
