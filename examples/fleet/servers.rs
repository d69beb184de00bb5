//! The authorization server and the API that the fleet calls. Both run in this process.

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

use crate::{Args, table::counted};

pub(crate) const CLIENT_ID: &str = "fleet";
pub(crate) const CLIENT_SECRET: &str = "not-a-real-secret";

pub(crate) struct Servers {
    server: AuthorizationServer,
    api: ProtectedApi,
    directory: PathBuf,
}

impl Servers {
    pub(crate) async fn start(lifetime: Duration) -> anyhow::Result<Self> {
        let server = AuthorizationServer::builder()
            .client(CLIENT_ID, CLIENT_SECRET)
            .token_lifetime(lifetime)
            .start()
            .await?;
        let api = ProtectedApi::start(&server).await?;
        let directory = env::temp_dir().join(format!("fleet-{}", process::id()));
        fs::create_dir_all(&directory)?;
        let servers = Self {
            server,
            api,
            directory,
        };
        servers.create_seal_key()?;
        Ok(servers)
    }

    pub(crate) fn token_url(&self) -> String {
        self.server.token_endpoint()
    }

    pub(crate) fn api_url(&self) -> String {
        format!("{}/orders", self.api.url())
    }

    /// Returns the number of token requests that the authorization server received.
    pub(crate) fn token_requests(&self) -> u64 {
        self.server.token_requests() as u64
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn seal_key(&self) -> PathBuf {
        self.directory.join("seal.key")
    }

    pub(crate) fn description(&self, args: &Args, redis: Option<&Redis>) -> String {
        let store = match redis {
            Some(redis) => format!("The processes share one token through {redis}."),
            None => "Each process requests its own tokens.".to_owned(),
        };
        format!(
            "{} with {} each call an API for {}. A token lives for {}.\n{store}\n",
            counted(args.processes.into(), "process"),
            counted(args.tasks.into(), "task"),
            humantime::format_duration(args.duration),
            humantime::format_duration(args.lifetime),
        )
    }

    /// Writes 32 random bytes to the file of the seal key.
    fn create_seal_key(&self) -> anyhow::Result<()> {
        let mut key = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        let mut options = File::options();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.seal_key())?;
        std::io::Write::write_all(&mut file, &key).context("writing the seal key")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // if this fails, the files stay in the directory for temporary files
        let _ = fs::remove_dir_all(&self.directory);
    }
}
