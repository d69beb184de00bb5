//! Commands to a server that bypass the connection under test.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _,
    RedisConnectionInfo,
};

/// A server that has not responded by then has been paused, or has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The additional unix socket of every server, without TLS and without a proxy.
#[derive(Debug)]
pub(super) struct Control {
    socket: PathBuf,
    password: Option<String>,
}

impl Control {
    pub(super) fn new(socket: PathBuf, password: Option<String>) -> Self {
        Self { socket, password }
    }

    /// Sends a command on a new connection, so that no connection is stale after a restart of the server.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &[&str]) -> Result<T> {
        let name = || {
            command
                .first()
                .copied()
                .unwrap_or("an empty command")
                .to_owned()
        };
        let mut connection = self
            .client()?
            .get_multiplexed_async_connection_with_config(
                &AsyncConnectionConfig::new()
                    .set_connection_timeout(Some(PATIENCE))
                    .set_response_timeout(Some(PATIENCE)),
            )
            .await
            .with_context(|| format!("cannot connect to {}", self.socket.display()))?;
        let mut sent = redis::Cmd::new();
        for argument in command {
            sent.arg(argument);
        }
        sent.query_async(&mut connection).await.with_context(name)
    }

    fn client(&self) -> Result<Client> {
        let mut settings = RedisConnectionInfo::default();
        if let Some(password) = &self.password {
            settings = settings.set_password(password);
        }
        let address = ConnectionAddr::Unix(self.socket.clone()).into_connection_info()?;
        Ok(Client::open(address.set_redis_settings(settings))?)
    }
}
