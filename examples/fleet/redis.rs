//! The Redis in which the fleet shares its token: the user's, or one that is started here.

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

pub(crate) struct Redis {
    url: String,
    own: Option<Own>,
}

struct Own {
    socket: PathBuf,
    server: Child,
}

impl Redis {
    pub(crate) async fn find(directory: &Path) -> anyhow::Result<Self> {
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

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether it is ours to kill.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(own) = &mut self.own {
            own.server.kill().await?;
        }
        Ok(())
    }

    /// Starts it again, empty.
    pub(crate) async fn start_again(&mut self) -> anyhow::Result<()> {
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
