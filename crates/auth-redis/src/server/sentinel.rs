//! The primary that Sentinels name.

use auth_core::async_trait;
use redis::{
    ConnectionAddr, ProtocolVersion, RedisResult,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};

use super::{Connect, OnPush, Trust, config};
use crate::{address::Address, connection::Connection};

/// The primary's name, and who we are to it.
pub(crate) struct Master {
    pub(crate) name: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

struct Sentinels {
    addresses: Vec<Address>,
    master: Master,
    trust: Trust,
}

pub(super) fn way(
    addresses: Vec<Address>,
    master: Master,
    trust: &Trust,
) -> RedisResult<Box<dyn Connect>> {
    let sentinels = Sentinels {
        addresses,
        master,
        trust: trust.clone(),
    };
    sentinels.client()?.build()?;
    Ok(Box::new(sentinels))
}

impl Sentinels {
    fn client(&self) -> RedisResult<SentinelClientBuilder> {
        let addresses = self
            .addresses
            .iter()
            .map(|address| address.info().addr().clone());
        let addresses: Vec<ConnectionAddr> = addresses.collect();
        let mut client =
            SentinelClientBuilder::new(addresses, &self.master.name, SentinelServerType::Master)?
                .set_client_to_redis_protocol(ProtocolVersion::RESP3);
        if let Some(user) = &self.master.user {
            client = client.set_client_to_redis_username(user);
        }
        if let Some(password) = &self.master.password {
            client = client.set_client_to_redis_password(password);
        }
        match self.addresses.first() {
            Some(first) => self.as_to(first, client),
            None => Ok(client),
        }
    }

    /// As the first Sentinel is reached, so are the others and the primary.
    fn as_to(
        &self,
        first: &Address,
        mut client: SentinelClientBuilder,
    ) -> RedisResult<SentinelClientBuilder> {
        let (us, tcp) = (first.info().redis_settings(), first.info().tcp_settings());
        client = client
            .set_client_to_redis_db(us.db())
            .set_client_to_redis_tcp_settings(tcp.clone())
            .set_client_to_sentinel_tcp_settings(tcp.clone());
        if let Some(user) = us.username() {
            client = client.set_client_to_sentinel_username(user);
        }
        if let Some(password) = us.password() {
            client = client.set_client_to_sentinel_password(password);
        }
        #[cfg(feature = "tls")]
        if first.is_tls() {
            client = client
                .set_client_to_redis_tls_mode(redis::TlsMode::Secure)
                .set_client_to_sentinel_tls_mode(redis::TlsMode::Secure);
            if let Some(certificates) = self.trust.certificates() {
                client = client
                    .set_client_to_redis_certificates(certificates.clone())
                    .set_client_to_sentinel_certificates(certificates);
            }
        }
        #[cfg(not(feature = "tls"))]
        let _ = &self.trust;
        Ok(client)
    }
}

#[async_trait]
impl Connect for Sentinels {
    async fn connect(&self, on_push: OnPush) -> RedisResult<Connection> {
        let config = config(on_push);
        let mut client = self.client()?.build()?;
        let connection = client.get_async_connection_with_config(&config);
        connection.await.map(Connection::One)
    }
}
