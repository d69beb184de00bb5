//! One server.

use auth_core::async_trait;
use redis::{Client, ErrorKind, RedisResult};

use super::{Connect, OnPush, Trust, config};
use crate::{address::Address, connection::Connection};

pub(super) fn way(addresses: Vec<Address>, trust: &Trust) -> RedisResult<Box<dyn Connect>> {
    let mut clients = addresses
        .into_iter()
        .map(|address| trust.client(address.into_info()));
    let none = (ErrorKind::InvalidClientConfig, "no URL");
    Ok(Box::new(
        clients.next().unwrap_or_else(|| Err(none.into()))?,
    ))
}

#[async_trait]
impl Connect for Client {
    async fn connect(&self, on_push: OnPush) -> RedisResult<Connection> {
        let config = config(on_push);
        let connection = self.get_multiplexed_async_connection_with_config(&config);
        connection.await.map(Connection::One)
    }
}
