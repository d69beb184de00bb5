//! A Cluster, which the client discovers from some of its nodes.

use auth_core::async_trait;
use redis::{
    RedisResult,
    cluster::{ClusterClient, ClusterClientBuilder},
};

use super::{
    connect::{ANSWER_TIMEOUT, CLIENT_TIMEOUT, Connect, OnPush},
    trust::Trust,
};
use crate::{address::Address, connection::Connection};

struct Nodes {
    addresses: Vec<Address>,
    trust: Trust,
}

pub(super) fn connector(addresses: Vec<Address>, trust: &Trust) -> RedisResult<Box<dyn Connect>> {
    let trust = trust.clone();
    let nodes = Nodes { addresses, trust };
    nodes.client().build()?;
    Ok(Box::new(nodes))
}

impl Nodes {
    fn client(&self) -> ClusterClientBuilder {
        let nodes = self.addresses.iter().map(|address| address.info().clone());
        let client = ClusterClient::builder(nodes)
            .connection_timeout(ANSWER_TIMEOUT)
            .response_timeout(CLIENT_TIMEOUT);
        #[cfg(feature = "tls")]
        if let Some(certificates) = self.trust.certificates() {
            return client.certs(certificates);
        }
        #[cfg(not(feature = "tls"))]
        let _ = &self.trust;
        client
    }
}

#[async_trait]
impl Connect for Nodes {
    async fn connect(&self, on_push: OnPush) -> RedisResult<Connection> {
        let client = self.client().push_sender(on_push).build()?;
        client.get_async_connection().await.map(Connection::Cluster)
    }
}
