//! Servers are stopped, paused and started again, and end with their test.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep, timeout},
};

use super::{BOTH, answers, connect, state};
use crate::redis_server::{Program, RedisServer};

#[tokio::test]
async fn a_stopped_server_refuses_connections_and_starts_again_empty() -> Result<()> {
    for program in BOTH {
        let mut server = RedisServer::builder(program).password("p").start().await?;
        let url = server.url();
        server.command::<()>(&["SET", "key", "value"]).await?;
        server.stop();
        connect(&url).await.err().context("it is stopped")?;
        let taken = TcpSocket::new_v4()?.bind(([127, 0, 0, 1], server.port().unwrap()).into());
        taken.err().context("its port should be kept for it")?;

        server.start_again().await?;
        ensure!(server.url() == url);
        answers(&url).await?;
        ensure!(server.command::<u64>(&["DBSIZE"]).await? == 0);

        server.command::<()>(&["SET", "key", "value"]).await?;
        server.flush().await?;
        ensure!(server.command::<u64>(&["DBSIZE"]).await? == 0);
    }
    Ok(())
}

#[tokio::test]
async fn a_paused_server_accepts_connections_and_responds_when_resumed() -> Result<()> {
    for program in BOTH {
        let server = RedisServer::builder(program).start().await?;
        server.pause()?;
        let mut client = TcpStream::connect(("127.0.0.1", server.port().unwrap())).await?;
        client.write_all(b"PING\r\n").await?;
        let mut reply = [0; 7];
        ensure!(
            state(server.pid().unwrap()) == Some('T'),
            "{program:?} runs"
        );

        server.resume()?;
        timeout(Duration::from_secs(60), client.read_exact(&mut reply)).await??;
        ensure!(&reply == b"+PONG\r\n");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_cannot_start_reports_the_reason_at_once() -> Result<()> {
    for program in BOTH {
        let builder = RedisServer::builder(program).directive("no-such-directive 1");
        let error = format!("{:#}", builder.start().await.unwrap_err());
        ensure!(error.contains("no-such-directive"), "{error}");
        // the end of the wait for the server
        ensure!(!error.contains("not after"), "{error}");
    }
    Ok(())
}

/// The test starts itself in another process, which starts a server and is killed.
#[tokio::test]
async fn a_server_ends_with_a_test_that_was_killed() -> Result<()> {
    const TEST: &str = "redis_server_checks::lifecycle::a_server_ends_with_a_test_that_was_killed";
    const ROLE: &str = "INTEROP_TO_BE_KILLED";
    if let Some(report) = std::env::var_os(ROLE) {
        let server = RedisServer::builder(Program::Redis).start().await?;
        let settings: Vec<String> = server.command(&["CONFIG", "GET", "dir"]).await?;
        fs::write(
            &report,
            format!("{} {}\n", server.pid().unwrap(), settings[1]),
        )?;
        std::future::pending::<()>().await;
    }
    let report = std::env::temp_dir().join(format!("to-be-killed-{}", std::process::id()));
    let mut test = Command::new(std::env::current_exe()?)
        .args([TEST, "--exact"])
        .env(ROLE, &report)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let started = until(|| {
        let report = fs::read_to_string(&report).ok()?;
        let (pid, directory) = report.strip_suffix('\n')?.split_once(' ')?;
        Some((pid.parse().ok()?, directory.to_owned()))
    })
    .await;
    test.kill()?;
    test.wait()?;
    let _ = fs::remove_file(&report);
    let (pid, directory) = started?;
    until(|| (!runs(pid) && !Path::new(&directory).exists()).then_some(())).await
}

async fn until<T>(mut condition: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if let Some(found) = condition() {
            return Ok(found);
        }
        sleep(Duration::from_millis(10)).await;
    }
    bail!("not within a minute")
}

/// A zombie has ended; only its parent has not read its status yet.
fn runs(pid: u32) -> bool {
    state(pid).is_some_and(|state| state != 'Z')
}
