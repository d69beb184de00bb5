//! What the fleet calls: an authorization server and an API, inside this process.

use std::{
    env,
    fs::{self, File},
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::Context;
use auth_testing::{AuthorizationServer, ProtectedApi};
use local_redis::Redis;

use crate::Args;

pub(crate) const CLIENT: (&str, &str) = ("fleet", "not-a-real-secret");

pub(crate) struct Place {
    server: AuthorizationServer,
    api: ProtectedApi,
    directory: PathBuf,
}

impl Place {
    pub(crate) async fn start(lifetime: Duration) -> anyhow::Result<Self> {
        let server = AuthorizationServer::builder()
            .client(CLIENT.0, CLIENT.1)
            .token_lifetime(lifetime)
            .start()
            .await?;
        let api = ProtectedApi::start(&server).await?;
        let directory = env::temp_dir().join(format!("fleet-{}", process::id()));
        fs::create_dir_all(&directory)?;
        let place = Self {
            server,
            api,
            directory,
        };
        place.make_seal_key()?;
        Ok(place)
    }

    pub(crate) fn token_url(&self) -> String {
        self.server.token_endpoint()
    }

    pub(crate) fn api_url(&self) -> String {
        format!("{}/orders", self.api.url())
    }

    /// Token requests so far, as the server counts them.
    pub(crate) fn token_requests(&self) -> usize {
        self.server.token_requests()
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn seal_key(&self) -> PathBuf {
        self.directory.join("seal.key")
    }

    pub(crate) fn explanation(&self, args: &Args, redis: Option<&Redis>) -> String {
        let store = match redis {
            Some(redis) => format!("{redis} is where they share one token"),
            None => "each has a token of its own".to_owned(),
        };
        format!(
            "{} processes with {} tasks each; tokens live for {}; {store}.\n",
            args.processes,
            args.tasks,
            humantime::format_duration(args.lifetime),
        )
    }

    /// 32 random bytes, as `head -c 32 /dev/urandom` makes them.
    fn make_seal_key(&self) -> anyhow::Result<()> {
        let mut key = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        let mut options = File::options();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.seal_key())?;
        std::io::Write::write_all(&mut file, &key).context("the key that seals tokens")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // what is left of it is in a directory for what is left of things
        let _ = fs::remove_dir_all(&self.directory);
    }
}
