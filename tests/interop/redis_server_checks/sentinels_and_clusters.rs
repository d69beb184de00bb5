//! Checks of sentinels and clusters.

use anyhow::{Context as _, Result, ensure};

use super::{BOTH, code, connect};
use crate::redis_server::{Cluster, Program, Sentinel};

#[tokio::test]
async fn sentinels_name_the_new_master_after_the_old_one_died() -> Result<()> {
    for (program, sentinels) in [(Program::Redis, 3), (Program::Valkey, 1)] {
        let mut group = Sentinel::start(program, sentinels).await?;
        ensure!(group.urls().len() == sentinels);
        let old = group.master().url();
        group.master().command::<()>(&["SET", "key", "1"]).await?;
        ensure!(named_master(&group).await? == old);

        group.fail_over().await?;
        let new = group.master().url();
        ensure!(new != old && named_master(&group).await? == new);
        connect(&old)
            .await
            .err()
            .context("the old master is dead")?;
        group.master().command::<()>(&["SET", "key", "2"]).await?;

        group.start_replica_again().await?;
        ensure!(group.replica().url() == old);
        let read_only = group.replica().command::<()>(&["SET", "key", "3"]).await;
        let error = format!("{:#}", read_only.unwrap_err());
        ensure!(error.to_lowercase().contains("read"), "{error}");
    }
    Ok(())
}

async fn named_master(group: &Sentinel) -> Result<String> {
    let mut sentinel = connect(&group.urls()[0]).await?;
    let address: Vec<String> = redis::cmd("SENTINEL")
        .arg("GET-MASTER-ADDR-BY-NAME")
        .arg(group.service())
        .query_async(&mut sentinel)
        .await?;
    Ok(format!("redis://{}", address.join(":")))
}

#[tokio::test]
async fn a_cluster_serves_every_slot_and_redirects_from_the_wrong_node() -> Result<()> {
    for program in BOTH {
        let mut cluster = Cluster::start(program).await?;
        let key = "auth:key";
        let mut moved = 0;
        for url in cluster.urls() {
            let mut node = connect(&url).await?;
            let set = redis::cmd("SET").arg(key).arg("1").to_owned();
            match set.exec_async(&mut node).await {
                Ok(()) => {}
                Err(error) => {
                    code(Err(error), "MOVED")?;
                    moved += 1;
                }
            }
        }
        ensure!(moved == 2, "{moved} nodes of 3 do not serve the key");

        cluster.node_mut(1).stop();
        cluster.node_mut(1).start_again().await?;
        cluster.whole().await?;
        ensure!(cluster.nodes().len() == 3);
    }
    Ok(())
}
