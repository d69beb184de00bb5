//! The server, of whichever kind it is, and the way there.

#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "sentinel")]
mod sentinel;
mod standalone;
mod trust;

use std::{fmt, sync::Arc, time::Duration};

use auth_core::{Error, async_trait};
use redis::{AsyncConnectionConfig, RedisResult, aio::AsyncPushSender};

#[cfg(feature = "sentinel")]
pub(crate) use self::sentinel::Master;
pub(crate) use self::trust::Trust;
use crate::{address::Address, connection::Connection, error};

/// How long one answer may take before the connection is given up.
pub(crate) const ANSWER: Duration = Duration::from_secs(1);
/// How long it may take to reach a server and to be let in. Whoever waits for that gives up much
/// earlier; the next one finds it done.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// The client's own limit for an answer: never met before ours.
const LIMIT: Duration = Duration::from_secs(2);

/// Takes what a server tells without being asked.
pub(crate) type OnPush = Arc<dyn AsyncPushSender>;

/// Which kind of server the URLs lead to.
pub(crate) enum Kind {
    Standalone,
    #[cfg(feature = "cluster")]
    Cluster,
    #[cfg(feature = "sentinel")]
    Sentinel(Master),
}

impl Kind {
    fn way(self, addresses: Vec<Address>, trust: &Trust) -> RedisResult<Box<dyn Connect>> {
        match self {
            Self::Standalone => standalone::way(addresses, trust),
            #[cfg(feature = "cluster")]
            Self::Cluster => cluster::way(addresses, trust),
            #[cfg(feature = "sentinel")]
            Self::Sentinel(master) => sentinel::way(addresses, master, trust),
        }
    }
}

/// A server to connect to.
pub(crate) struct Server {
    way: Box<dyn Connect>,
    /// Where it is, in messages.
    place: String,
}

/// A way to a server. Whatever can be checked without going it has been checked.
#[async_trait]
trait Connect: Send + Sync {
    async fn connect(&self, on_push: OnPush) -> RedisResult<Connection>;
}

impl Server {
    pub(crate) fn new(kind: Kind, addresses: Vec<Address>, trust: &Trust) -> Result<Self, Error> {
        if addresses.is_empty() {
            let message = "at least one URL is needed; there is none";
            return Err(Error::configuration(message));
        }
        trust.check(&addresses)?;
        let shown: Vec<String> = addresses.iter().map(|one| format!("{one:?}")).collect();
        let place = shown.join(", ");
        let way = kind.way(addresses, trust).map_err(|error| {
            error::configuration(&format!("Redis at {place} cannot be used"), &error)
        })?;
        Ok(Self { way, place })
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) async fn connect(&self, on_push: OnPush) -> RedisResult<Connection> {
        self.way.connect(on_push).await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

fn config(on_push: OnPush) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(Some(LIMIT))
        .set_push_sender(on_push)
}
