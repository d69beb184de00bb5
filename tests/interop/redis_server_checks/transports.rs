//! The transports: TCP, TLS and unix socket.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{BOTH, answers, connect, state};
use crate::redis_server::{Program, RedisServer};

#[tokio::test]
async fn redis_and_valkey_serve_tcp_and_end_on_drop() -> Result<()> {
    for program in BOTH {
        let server = RedisServer::builder(program).start().await?;
        answers(&server.url()).await?;
        ensure!(version(&server, program).await? == program.version()?);
        let settings: Vec<String> = server.command(&["CONFIG", "GET", "dir"]).await?;
        let pid = server.pid().unwrap();
        ensure!(state(pid).is_some() && Path::new(&settings[1]).exists());

        drop(server);
        ensure!(state(pid).is_none(), "{program:?} still runs");
        ensure!(!Path::new(&settings[1]).exists());
    }
    Ok(())
}

#[tokio::test]
async fn redis_and_valkey_serve_only_a_unix_socket() -> Result<()> {
    for program in BOTH {
        let server = RedisServer::builder(program)
            .unix()
            .password("p w")
            .start()
            .await?;
        ensure!(server.port().is_none());
        answers(&server.url()).await?;
        let port: Vec<String> = server.command(&["CONFIG", "GET", "port"]).await?;
        ensure!(port == ["port", "0"], "{port:?}");
    }
    Ok(())
}

#[tokio::test]
async fn redis_serves_only_tls() -> Result<()> {
    let server = RedisServer::builder(Program::Redis).tls().start().await?;
    let port = server.port().unwrap();
    ensure!(server.url() == format!("rediss://127.0.0.1:{port}"));

    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(
        server.ca_pem().unwrap().as_bytes(),
    )?)?;
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut tls = TlsConnector::from(Arc::new(client))
        .connect("127.0.0.1".try_into()?, tcp)
        .await?;
    tls.write_all(b"PING\r\n").await?;
    let mut reply = [0; 7];
    tls.read_exact(&mut reply).await?;
    ensure!(&reply == b"+PONG\r\n");

    let plain = connect(&format!("redis://127.0.0.1:{port}")).await;
    plain.err().context("it should not speak plainly")?;
    Ok(())
}

/// Valkey reports its own version and that of the compatible Redis.
async fn version(server: &RedisServer, program: Program) -> Result<String> {
    let field = match program {
        Program::Redis => "redis_version",
        Program::Valkey => "valkey_version",
    };
    server.info(field).await?.context(field)
}
