//! The primary that Sentinels name.

use auth_core::{Error, async_trait};
use redis::{
    ConnectionAddr, ProtocolVersion, RedisResult,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};

use super::{
    connect::{Connect, OnPush, connection_config},
    trust::Trust,
};
use crate::{address::Address, connection::Connection};

/// The primary: its name at the Sentinels, and how to connect to it.
pub(crate) struct Primary {
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: u32,
    /// Whether to use TLS. `None`: as for the Sentinels.
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<bool>,
}

impl Primary {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            username: None,
            password: None,
            database: 0,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    pub(super) fn check(&self, sentinels: &[Address]) -> Result<(), Error> {
        let message = if self.name.is_empty() {
            "the name of the primary is empty; expected the name by which the Sentinels monitor it"
        } else if self.username.is_some() && self.password.is_none() {
            "the primary has a user name and no password; expected primary_password() beside \
             primary_username()"
        } else if sentinels
            .iter()
            .any(|one| one.info().redis_settings().db() != 0)
        {
            "the URL of a Sentinel names a database, and Sentinels have none; name the primary's by \
             primary_database()"
        } else {
            return Ok(());
        };
        Err(Error::configuration(message))
    }
}

struct Sentinels {
    addresses: Vec<Address>,
    primary: Primary,
    trust: Trust,
}

pub(super) fn connector(
    addresses: Vec<Address>,
    primary: Primary,
    trust: &Trust,
) -> RedisResult<Box<dyn Connect>> {
    let sentinels = Sentinels {
        addresses,
        primary,
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
        let name = &self.primary.name;
        let mut client = SentinelClientBuilder::new(addresses, name, SentinelServerType::Master)?
            .set_client_to_redis_protocol(ProtocolVersion::RESP3)
            .set_client_to_redis_db(self.primary.database.into());
        if let Some(username) = &self.primary.username {
            client = client.set_client_to_redis_username(username);
        }
        if let Some(password) = &self.primary.password {
            client = client.set_client_to_redis_password(password);
        }
        // the URLs name the same user and password, and all or none use TLS: `Deployment::check`
        match self.addresses.first() {
            Some(first) => Ok(self.with_access(first, client)),
            None => Ok(client),
        }
    }

    /// Sets the user and the password at the Sentinels, TLS, and the TCP settings.
    fn with_access(
        &self,
        sentinel: &Address,
        mut client: SentinelClientBuilder,
    ) -> SentinelClientBuilder {
        let (redis, tcp) = (
            sentinel.info().redis_settings(),
            sentinel.info().tcp_settings(),
        );
        client = client
            .set_client_to_redis_tcp_settings(tcp.clone())
            .set_client_to_sentinel_tcp_settings(tcp.clone());
        if let Some(username) = redis.username() {
            client = client.set_client_to_sentinel_username(username);
        }
        if let Some(password) = redis.password() {
            client = client.set_client_to_sentinel_password(password);
        }
        #[cfg(feature = "tls")]
        {
            let certificates = self.trust.certificates();
            if sentinel.is_tls() {
                client = client.set_client_to_sentinel_tls_mode(redis::TlsMode::Secure);
                if let Some(certificates) = certificates.clone() {
                    client = client.set_client_to_sentinel_certificates(certificates);
                }
            }
            if self.primary.tls.unwrap_or(sentinel.is_tls()) {
                client = client.set_client_to_redis_tls_mode(redis::TlsMode::Secure);
                if let Some(certificates) = certificates {
                    client = client.set_client_to_redis_certificates(certificates);
                }
            }
        }
        #[cfg(not(feature = "tls"))]
        let _ = &self.trust;
        client
    }
}

#[async_trait]
impl Connect for Sentinels {
    async fn connect(&self, on_push: OnPush) -> RedisResult<Connection> {
        let config = connection_config(on_push);
        let mut client = self.client()?.build()?;
        let connection = client.get_async_connection_with_config(&config);
        connection.await.map(Connection::OneServer)
    }
}
