//! A Redis of a test's own, on a free port of 127.0.0.1; killed on drop.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::fixture::eventually;

/// Reads until its stdin closes, and so until we end, even if we are killed.
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
    /// Starts it, and returns when it answers.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let mut server = Self::stopped(arguments);
        server.start_again().await;
        server
    }

    /// One that is still to be started.
    pub(crate) fn stopped(arguments: &[&str]) -> Self {
        let volatile = ["--save", "", "--appendonly", "no"];
        Self::with(free_port(), &[&volatile, arguments].concat())
    }

    /// One that gets these arguments, and its port, and no others.
    pub(crate) fn with(port: u16, arguments: &[&str]) -> Self {
        Self {
            port,
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            children: None,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("")
    }

    /// The URL of somebody: `user:password@`.
    pub(crate) fn url_of(&self, somebody: &str) -> String {
        format!("redis://{somebody}127.0.0.1:{}", self.port)
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

    /// Kills it; what it knew is gone.
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
        // the watchdog first: the id that it would kill is nobody's in a moment
        for child in [&mut self.watchdog, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
