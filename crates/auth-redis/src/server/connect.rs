//! Common to every kind of deployment: connecting, and the timeouts.

use std::{sync::Arc, time::Duration};

use auth_core::async_trait;
use redis::{AsyncConnectionConfig, RedisResult, aio::AsyncPushSender};

use crate::connection::Connection;

/// The connection is discarded if an answer takes longer.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// The limit for connecting, including TLS and authentication. An operation gives up earlier; the
/// attempt continues, and a later operation uses its connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The redis crate's own limit for an answer. It is longer than [`ANSWER_TIMEOUT`], which therefore
/// decides.
pub(super) const CLIENT_TIMEOUT: Duration = Duration::from_secs(2);

/// Takes the messages that the server sends unasked.
pub(crate) type OnPush = Arc<dyn AsyncPushSender>;

/// Connects to a deployment whose settings have been checked.
#[async_trait]
pub(super) trait Connect: Send + Sync {
    async fn connect(&self, on_push: OnPush) -> RedisResult<Connection>;
}

pub(super) fn connection_config(on_push: OnPush) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(Some(CLIENT_TIMEOUT))
        .set_push_sender(on_push)
}
