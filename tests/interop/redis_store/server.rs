//! A Redis server for one test, on a free port of 127.0.0.1; killed on drop.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::redis_store::fixture::eventually;

/// Kills the server when its stdin closes, so when the test process ends, even if it is killed.
const WATCHDOG: &str = "read -r _; kill -9 \"$1\"";

pub(crate) struct Server {
    port: u16,
    arguments: Vec<String>,
    children: Option<Children>,
}

struct Children {
    server: Child,
    watchdog: Child,
}

impl Server {
    /// Starts a server and returns when it listens.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut server = Self::stopped(arguments);
        server.start_again().await;
        server
    }

    /// Returns a server that is not started yet.
    pub(crate) fn stopped(arguments: &[&str]) -> Self {
        let volatile = ["--save", "", "--appendonly", "no"];
        Self::with(free_port(), &[&volatile, arguments].concat())
    }

    /// Returns a server that is not started yet, with these arguments and its port only.
    pub(crate) fn with(port: u16, arguments: &[&str]) -> Self {
        Self {
            port,
            arguments: arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect(),
            children: None,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("")
    }

    /// Returns the URL with `user`: `name:password@`.
    pub(crate) fn url_of(&self, user: &str) -> String {
        format!("redis://{user}127.0.0.1:{}", self.port)
    }

    pub(crate) async fn start_again(&mut self) {
        let name = "INTEROP_REDIS";
        let program = std::env::var_os(name)
            .unwrap_or_else(|| panic!("{name} is not set: run `cargo xtask test`"));
        let server = Command::new(program)
            .args(&self.arguments)
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", &server.id().to_string()])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.children = Some(Children { server, watchdog });
        let address = (Ipv4Addr::LOCALHOST, self.port);
        eventually("Redis listens", || async {
            tokio::net::TcpStream::connect(address).await.ok()
        })
        .await;
    }

    /// Kills the server, which has stored nothing on disk.
    pub(crate) fn stop(&mut self) {
        if let Some(children) = self.children.take() {
            children.kill();
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let child = &self.children.as_ref().unwrap().server;
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Children {
    fn kill(mut self) {
        // the watchdog first: once the server has ended, its id may belong to another process
        for child in [&mut self.watchdog, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
