//! Several processes of `call`, with the certified authorization server.

use std::{
    env, fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, process::Stdio,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::{KEY, redis};
use crate::{
    harness::{OidcProvider, until},
    redis_server::RedisServer,
    run_call::binary,
};

/// A file with the key, which is removed on drop.
struct SealKeyFile(PathBuf);

impl SealKeyFile {
    fn new(test: &str) -> Result<Self> {
        let name = format!("seal-key-{test}-{}", std::process::id());
        let path = env::temp_dir().join(name);
        let mut options = fs::File::options();
        let mut file = options.write(true).create(true).mode(0o600).open(&path)?;
        file.write_all(&KEY)?;
        Ok(Self(path))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Drop for SealKeyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn start(
    provider: &OidcProvider,
    redis: &RedisServer,
    key: &SealKeyFile,
    more: &[&str],
) -> Result<Child> {
    let mut command = Command::new(binary()?);
    command
        .args([
            "--token-url",
            &provider.token_endpoint(),
            "--client-id",
            "basic-client",
        ])
        .args([
            "--redis",
            &redis.url(),
            "--seal-key-file",
            key.path(),
            "--json",
        ])
        .args(more)
        .arg(provider.api())
        .env("AUTH_CLIENT_SECRET", "basic-secret")
        .env("RUST_LOG", "warn")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command.kill_on_drop(true).spawn()?)
}

async fn report(process: Child) -> Result<Value> {
    Ok(report_and_log(process).await?.0)
}

async fn report_and_log(process: Child) -> Result<(Value, String)> {
    let output = process.wait_with_output().await?;
    let log = String::from_utf8(output.stderr)?;
    let report = serde_json::from_slice(&output.stdout).with_context(|| log.clone())?;
    Ok((report, log))
}

async fn token_requests(provider: &OidcProvider) -> Result<u64> {
    let stats = provider.stats().await?;
    stats["token_requests"]
        .as_u64()
        .context("no number of token requests")
}

#[tokio::test]
async fn the_holder_of_the_lease_is_killed_during_its_token_request() -> Result<()> {
    let (provider, redis) = (OidcProvider::start(&[]).await?, redis().await?);
    let key = SealKeyFile::new("killed")?;
    provider.faults(json!({ "delay_ms": 60_000 })).await?;
    let mut holder = start(&provider, &redis, &key, &[])?;
    until("token requests", 1, async || {
        token_requests(&provider).await
    })
    .await?;
    provider.faults(json!({ "delay_ms": 0 })).await?;
    let waiting = [(); 4].map(|()| start(&provider, &redis, &key, &[]));
    holder.kill().await?;
    for process in waiting {
        let (report, log) = report_and_log(process?).await?;
        assert_eq!(report["ok"], 1, "{report}");
        assert_eq!(report["errors"], json!({}), "{report}");
        // the lease ended before they would have acquired the fallback lease
        assert!(!log.contains("the fallback lease"), "{log}");
    }
    assert_eq!(
        token_requests(&provider).await?,
        2,
        "one of the killed process, and one for all others"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "60 s of load: `cargo xtask test` runs it"]
async fn eight_processes_of_a_hundred_tasks_make_eleven_token_requests_in_a_minute() -> Result<()> {
    let provider = OidcProvider::start(&[("AS_TOKEN_TTL", "10")]).await?;
    let redis = redis().await?;
    let key = SealKeyFile::new("minute")?;
    let load = ["--duration", "60s", "-c", "100", "--rate", "50"];
    let processes = [(); 8].map(|()| start(&provider, &redis, &key, &load));
    let (mut requests, mut shared) = (0, 0);
    for process in processes {
        let report = report(process?).await?;
        println!("{report}");
        assert_eq!(report["errors"], json!({}), "{report}");
        assert_eq!(report["ok"], report["requests"], "{report}");
        requests += report["requests"].as_u64().unwrap_or_default();
        shared += report["tokens_from_shared_store"]
            .as_u64()
            .unwrap_or_default();
    }
    let stats = provider.stats().await?;
    println!("{stats}: {requests} requests, {shared} tokens taken over");
    assert!(token_requests(&provider).await? <= 11, "{stats}");
    assert_eq!(stats["api_401"], 0, "{stats}");
    assert!(requests > 8 * 50 * 50, "{requests}");
    Ok(())
}
