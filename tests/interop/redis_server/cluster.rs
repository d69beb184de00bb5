//! A cluster of three masters that share the slots.

use anyhow::{Context as _, Result, ensure};

use super::{Program, RedisServer, eventually::eventually};

const NODES: usize = 3;
const SLOTS: usize = 16_384;

/// A cluster of three masters without replicas.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Vec<RedisServer>,
}

impl Cluster {
    /// Returns when every node reports a complete cluster, which takes at least two seconds.
    pub(crate) async fn start(program: Program) -> Result<Self> {
        let mut nodes = Vec::new();
        for number in 0..NODES {
            let node = RedisServer::builder(program).cluster().start().await?;
            let slots = (number * SLOTS / NODES)..((number + 1) * SLOTS / NODES);
            let slots: Vec<String> = slots.map(|slot| slot.to_string()).collect();
            let mut add = vec!["CLUSTER", "ADDSLOTS"];
            add.extend(slots.iter().map(String::as_str));
            node.command::<()>(&add).await?;
            // otherwise the nodes would have to resolve conflicting claims
            let epoch = (number + 1).to_string();
            node.command::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])
                .await?;
            nodes.push(node);
        }
        let cluster = Self { nodes };
        for node in &cluster.nodes[1..] {
            let port = node.port().context("a port")?.to_string();
            cluster.nodes[0]
                .command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port])
                .await?;
        }
        cluster.whole().await?;
        Ok(cluster)
    }

    /// Returns `redis://127.0.0.1:PORT` of each node.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    pub(crate) fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// Returns the nodes. A node that is stopped and started again keeps its slots, and is empty.
    pub(crate) fn node_mut(&mut self, number: usize) -> &mut RedisServer {
        &mut self.nodes[number]
    }

    /// Waits until every node reports that all nodes are present and every slot is served.
    pub(crate) async fn whole(&self) -> Result<()> {
        for node in &self.nodes {
            eventually("the cluster is whole", async || {
                let info: String = node.command(&["CLUSTER", "INFO"]).await?;
                for line in [
                    "cluster_state:ok",
                    "cluster_known_nodes:3",
                    "cluster_size:3",
                ] {
                    ensure!(
                        info.lines().any(|l| l.trim() == line),
                        "no {line} in {info}"
                    );
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}
