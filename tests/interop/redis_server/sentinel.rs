//! A master, a replica, and the sentinels that monitor them.

use anyhow::{Context as _, Result, ensure};

use super::{Program, RedisServer, eventually::eventually};

/// The name of the master at the sentinels.
const SERVICE: &str = "main";

/// One master, one replica, and one to three sentinels, of which a majority is the quorum.
#[derive(Debug)]
pub(crate) struct Sentinel {
    sentinels: Vec<RedisServer>,
    data: [RedisServer; 2],
    master: usize,
}

impl Sentinel {
    /// Returns when the replica follows the master, and the sentinels know both and each other.
    pub(crate) async fn start(program: Program, sentinels: usize) -> Result<Self> {
        let master = data_server(program).start().await?;
        let port = master.port().context("a port")?;
        let replica = data_server(program)
            .directive(&format!("replicaof 127.0.0.1 {port}"))
            .start()
            .await?;
        eventually("the replica follows its master", async || {
            let link = replica.info("master_link_status").await?;
            ensure!(link.as_deref() == Some("up"), "its link is {link:?}");
            Ok(())
        })
        .await?;

        let quorum = sentinels / 2 + 1;
        let mut started = Vec::new();
        for _ in 0..sentinels {
            let sentinel = RedisServer::builder(program)
                .sentinel()
                .directive(&format!(
                    "sentinel monitor {SERVICE} 127.0.0.1 {port} {quorum}"
                ))
                // long timeouts, so that a busy machine is not taken for a failed one; fail_over() does not
                // wait for them
                .directive(&format!("sentinel down-after-milliseconds {SERVICE} 15000"))
                .directive(&format!("sentinel failover-timeout {SERVICE} 30000"));
            started.push(sentinel.start().await?);
        }
        for sentinel in &started {
            eventually("a sentinel knows all the others", async || {
                let master = sentinel.command::<Vec<String>>(&["SENTINEL", "MASTER", SERVICE]);
                let master = master.await?;
                for (name, count) in [("num-slaves", 1), ("num-other-sentinels", sentinels - 1)] {
                    let found = field(&master, name);
                    ensure!(
                        found == Some(count.to_string().as_str()),
                        "{name}: expected {count}, got {found:?}"
                    );
                }
                Ok(())
            })
            .await?;
        }
        Ok(Self {
            sentinels: started,
            data: [master, replica],
            master: 0,
        })
    }

    pub(crate) fn service(&self) -> &'static str {
        SERVICE
    }

    /// Returns `redis://127.0.0.1:PORT` of each sentinel.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(RedisServer::url).collect()
    }

    /// Returns the master since the start, or since the last [`fail_over`](Self::fail_over).
    pub(crate) fn master(&self) -> &RedisServer {
        &self.data[self.master]
    }

    /// Returns the other server, which is stopped after a [`fail_over`](Self::fail_over).
    pub(crate) fn replica(&self) -> &RedisServer {
        &self.data[1 - self.master]
    }

    /// Kills the master. Returns when every sentinel reports the replica as the new master.
    pub(crate) async fn fail_over(&mut self) -> Result<()> {
        self.data[self.master].stop();
        self.master = 1 - self.master;
        let first = self.sentinels.first().context("a sentinel")?;
        eventually("a sentinel fails over", async || {
            // by a command, because the timers of the sentinels are long
            if self.addressed(first).await.is_ok() {
                return Ok(());
            }
            first
                .command::<()>(&["SENTINEL", "FAILOVER", SERVICE])
                .await
        })
        .await?;
        for sentinel in &self.sentinels {
            eventually("each sentinel names the new master", async || {
                self.addressed(sentinel).await
            })
            .await?;
        }
        eventually("the replica becomes a master", async || {
            let role = self.master().info("role").await?;
            ensure!(role.as_deref() == Some("master"), "its role is {role:?}");
            Ok(())
        })
        .await
    }

    /// Starts the server that [`fail_over`](Self::fail_over) stopped. Returns when it follows the new master.
    pub(crate) async fn start_replica_again(&mut self) -> Result<()> {
        let master = self.master().port().context("a port")?.to_string();
        let replica = &mut self.data[1 - self.master];
        replica.start_again().await?;
        // the sentinels would do the same ten seconds later
        replica
            .command::<()>(&["REPLICAOF", "127.0.0.1", &master])
            .await?;
        eventually("the old master follows the new one", async || {
            let link = replica.info("master_link_status").await?;
            ensure!(link.as_deref() == Some("up"), "its link is {link:?}");
            Ok(())
        })
        .await
    }

    async fn addressed(&self, sentinel: &RedisServer) -> Result<()> {
        let command = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE];
        let address: Vec<String> = sentinel.command(&command).await?;
        let expected = self.master().port().context("a port")?.to_string();
        ensure!(
            address.get(1) == Some(&expected),
            "expected port {expected}, got {address:?}"
        );
        Ok(())
    }
}

fn data_server(program: Program) -> super::Builder {
    // the master does not wait for replicas before it sends the data
    RedisServer::builder(program).directive("repl-diskless-sync-delay 0")
}

fn field<'a>(reply: &'a [String], name: &str) -> Option<&'a str> {
    let pairs = reply.chunks_exact(2);
    let mut values = pairs.filter_map(|pair| (pair[0] == name).then_some(pair[1].as_str()));
    values.next()
}
