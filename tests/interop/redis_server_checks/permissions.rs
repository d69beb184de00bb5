//! Denied commands and connections.

use anyhow::{Context as _, Result, ensure};
use redis::{ErrorKind, RedisError};

use super::{BOTH, answers, code, connect, ping};
use crate::redis_server::RedisServer;

#[tokio::test]
async fn a_password_and_a_user_with_few_permissions() -> Result<()> {
    for program in BOTH {
        let server = RedisServer::builder(program)
            .password(r#"a "quoted" \pass"#)
            .acl_user(
                "app",
                "its: @/own",
                "~auth:* &auth:* +@connection +get +set",
            )
            .start()
            .await?;
        answers(&server.url()).await?;
        let unknown = format!("redis://127.0.0.1:{}", server.port().unwrap());
        code(ping(&mut connect(&unknown).await?).await, "NOAUTH")?;
        let wrong = connect(&server.url_as("app", "another")).await.err();
        let wrong = wrong
            .context("WRONGPASS should have come")?
            .downcast::<RedisError>()?;
        ensure!(wrong.kind() == ErrorKind::AuthenticationFailed, "{wrong}");

        let mut app = connect(&server.url_as("app", "its: @/own")).await?;
        let set = redis::cmd("SET").arg("auth:a").arg("1").to_owned();
        set.exec_async(&mut app).await?;
        let elsewhere = redis::cmd("GET").arg("other").to_owned();
        code(elsewhere.exec_async(&mut app).await, "NOPERM")?;
        code(redis::cmd("FLUSHALL").exec_async(&mut app).await, "NOPERM")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_server_whose_memory_is_full_denies_writes() -> Result<()> {
    for program in BOTH {
        let server = RedisServer::builder(program).maxmemory(1).start().await?;
        let mut client = connect(&server.url()).await?;
        let set = redis::cmd("SET").arg("key").arg("value").to_owned();
        code(set.exec_async(&mut client).await, "OOM")?;
        ping(&mut client).await?;
    }
    Ok(())
}
