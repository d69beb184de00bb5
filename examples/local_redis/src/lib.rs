//! A Redis for an example or a bench: the one of `REDIS_URL`, or a `redis-server` that is started.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use auth_core::{SharedKey, SharedTokenStore, TokenRequest};
use auth_redis::RedisStore;
use tokio::{
    net::UnixStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// The Redis of `REDIS_URL`, or a server that ends when this is dropped.
#[derive(Debug)]
pub struct Redis {
    url: String,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    socket: PathBuf,
    server: Child,
}

impl Redis {
    /// Checks the Redis of `REDIS_URL` if that is set; otherwise starts a `redis-server` that listens on a
    /// socket in `directory`.
    ///
    /// # Errors
    ///
    /// The Redis of `REDIS_URL` cannot be used, or no server can be started within 10 s.
    pub async fn find(directory: &Path) -> anyhow::Result<Self> {
        if let Some(url) = env::var("REDIS_URL").ok().filter(|url| !url.is_empty()) {
            check(&url).await.context("REDIS_URL")?;
            return Ok(Self { url, own: None });
        }
        let socket = directory.join("redis.sock");
        let server = start(&socket).await.context(
            "no Redis: install redis-server, or set REDIS_URL; --no-redis shows the fleet without",
        )?;
        Ok(Self {
            url: format!("redis+unix://{}", socket.display()),
            own: Some(Own { socket, server }),
        })
    }

    /// The URL that `RedisStore::builder` takes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the server was started by [`find`](Self::find).
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Ends the server if it was started by [`find`](Self::find).
    ///
    /// # Errors
    ///
    /// The process cannot be ended.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(own) = &mut self.own {
            own.server.kill().await?;
        }
        Ok(())
    }

    /// Starts an ended server again. It then holds no data.
    ///
    /// # Errors
    ///
    /// The server does not answer within 10 s.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        if let Some(own) = &mut self.own {
            own.server = start(&own.socket).await?;
        }
        Ok(())
    }
}

impl fmt::Display for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.own {
            Some(_) => "a redis-server started for this",
            None => "the Redis of REDIS_URL",
        })
    }
}

/// Whether a store there can be used.
async fn check(url: &str) -> anyhow::Result<()> {
    let store = RedisStore::builder(url).danger_plaintext(true).build()?;
    let key = SharedKey::new(["nobody"], &TokenRequest::default());
    store.load(&key).await?;
    Ok(())
}

/// A server that keeps nothing on disk, and listens on a socket in our own directory only.
async fn start(socket: &Path) -> anyhow::Result<Child> {
    let mut server = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "no"])
        .args(["--unixsocketperm", "700", "--unixsocket"])
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("redis-server")?;
    let deadline = Instant::now() + STARTS_WITHIN;
    while UnixStream::connect(socket).await.is_err() {
        if let Some(status) = server.try_wait()? {
            bail!("redis-server has ended: {status}");
        }
        if Instant::now() > deadline {
            bail!("redis-server does not answer");
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(server)
}
