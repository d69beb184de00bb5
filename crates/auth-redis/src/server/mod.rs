//! The server or servers of a store: one server, a Cluster, or a primary behind Sentinels.

#[cfg(feature = "cluster")]
mod cluster;
mod connect;
#[cfg(feature = "sentinel")]
mod sentinel;
mod trust;

use std::fmt;

use auth_core::{Error, async_trait};
use redis::{Client, ErrorKind, RedisResult};

pub(crate) use self::connect::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, OnPush};
use self::connect::{Connect, connection_config};
#[cfg(feature = "sentinel")]
pub(crate) use self::sentinel::Primary;
pub(crate) use self::trust::Trust;
use crate::{address::Address, connection::Connection, error};

/// The kind of deployment that the URLs lead to.
pub(crate) enum Deployment {
    OneServer,
    #[cfg(feature = "cluster")]
    Cluster,
    #[cfg(feature = "sentinel")]
    Sentinel(Primary),
}

impl Deployment {
    /// Whether any connection of the store uses TLS.
    #[cfg(feature = "tls")]
    fn uses_tls(&self, addresses: &[Address]) -> bool {
        match self {
            #[cfg(feature = "sentinel")]
            Self::Sentinel(Primary {
                tls: Some(true), ..
            }) => true,
            _ => addresses.iter().any(Address::is_tls),
        }
    }

    fn check(&self, addresses: &[Address], trust: &Trust) -> Result<(), Error> {
        if addresses.is_empty() {
            let message = "the store has no URL; expected at least one";
            return Err(Error::configuration(message));
        }
        match self {
            Self::OneServer => {}
            #[cfg(feature = "cluster")]
            Self::Cluster => Address::check_same_access("nodes of the Cluster", addresses)?,
            #[cfg(feature = "sentinel")]
            Self::Sentinel(primary) => {
                Address::check_same_access("Sentinels", addresses)?;
                primary.check(addresses)?;
            }
        }
        #[cfg(feature = "tls")]
        trust.check(self.uses_tls(addresses))?;
        #[cfg(not(feature = "tls"))]
        let _ = trust;
        Ok(())
    }

    fn connector(self, addresses: Vec<Address>, trust: &Trust) -> RedisResult<Box<dyn Connect>> {
        match self {
            Self::OneServer => one_server(addresses, trust),
            #[cfg(feature = "cluster")]
            Self::Cluster => cluster::connector(addresses, trust),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(primary) => sentinel::connector(addresses, primary, trust),
        }
    }
}

fn one_server(addresses: Vec<Address>, trust: &Trust) -> RedisResult<Box<dyn Connect>> {
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
        let config = connection_config(on_push);
        let connection = self.get_multiplexed_async_connection_with_config(&config);
        connection.await.map(Connection::OneServer)
    }
}

/// The server, Cluster or Sentinels to connect to.
pub(crate) struct Server {
    connector: Box<dyn Connect>,
    /// The addresses, as shown in messages.
    location: String,
}

impl Server {
    /// Checks everything that can be checked without a connection.
    pub(crate) fn new(
        deployment: Deployment,
        addresses: Vec<Address>,
        trust: &Trust,
    ) -> Result<Self, Error> {
        deployment.check(&addresses, trust)?;
        let shown: Vec<String> = addresses.iter().map(|one| format!("{one:?}")).collect();
        let location = shown.join(", ");
        let connector = deployment.connector(addresses, trust).map_err(|error| {
            error::configuration(
                &format!("Redis at {location}: the settings are invalid"),
                &error,
            )
        })?;
        Ok(Self {
            connector,
            location,
        })
    }

    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    pub(crate) async fn connect(&self, on_push: OnPush) -> RedisResult<Connection> {
        self.connector.connect(on_push).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location)
    }
}
