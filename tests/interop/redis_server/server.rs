//! One server, which can be stopped, started and paused.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use redis::FromRedisValue;
use url::Url;

use super::{
    Builder, Program,
    control::Control,
    directory::Directory,
    eventually::{Permanent, eventually},
    port::Port,
    process::Process,
};

/// A running server, or one that was stopped and keeps its port.
// fields are dropped in order: the process before its directory and port
#[derive(Debug)]
pub(crate) struct RedisServer {
    process: Option<Process>,
    program: Program,
    arguments: Vec<&'static str>,
    address: Address,
    password: Option<String>,
    ca: Option<String>,
    control: Control,
    directory: Directory,
    _ports: Vec<Port>,
}

/// The address of the server.
#[derive(Clone, Debug)]
pub(super) enum Address {
    Tcp(u16),
    Tls(u16),
    Unix(PathBuf),
}

pub(super) struct Parts {
    pub(super) program: Program,
    pub(super) arguments: Vec<&'static str>,
    pub(super) directory: Directory,
    pub(super) ports: Vec<Port>,
    pub(super) address: Address,
    pub(super) password: Option<String>,
    pub(super) ca: Option<String>,
    pub(super) socket: PathBuf,
}

impl RedisServer {
    /// Configures a server. Default: TCP, without a password.
    pub(crate) fn builder(program: Program) -> Builder {
        Builder::new(program)
    }

    pub(super) async fn start(parts: Parts) -> Result<Self> {
        let mut server = Self {
            process: None,
            program: parts.program,
            arguments: parts.arguments,
            address: parts.address,
            control: Control::new(parts.socket, parts.password.clone()),
            password: parts.password,
            ca: parts.ca,
            directory: parts.directory,
            _ports: parts.ports,
        };
        server.start_again().await?;
        Ok(server)
    }

    /// Returns `redis://127.0.0.1:PORT`, `rediss://127.0.0.1:PORT` or `redis+unix:///PATH`, with the password of
    /// the default user if there is one.
    pub(crate) fn url(&self) -> String {
        self.url_with(None, self.password.as_deref())
    }

    /// Returns the URL with another user.
    pub(crate) fn url_as(&self, user: &str, password: &str) -> String {
        self.url_with(Some(user), Some(password))
    }

    fn url_with(&self, user: Option<&str>, password: Option<&str>) -> String {
        let (scheme, port) = match &self.address {
            Address::Tcp(port) => ("redis", port),
            Address::Tls(port) => ("rediss", port),
            Address::Unix(path) => {
                let mut url = Url::parse("redis+unix:///").unwrap();
                url.set_path(&path.display().to_string());
                let pairs = [("user", user), ("pass", password)];
                let pairs = pairs.map(|(name, value)| Some((name, value?)));
                if pairs.iter().any(Option::is_some) {
                    url.query_pairs_mut()
                        .extend_pairs(pairs.into_iter().flatten());
                }
                return url.into();
            }
        };
        let mut url = Url::parse(&format!("{scheme}://127.0.0.1:{port}")).unwrap();
        url.set_username(user.unwrap_or_default()).unwrap();
        url.set_password(password).unwrap();
        url.into()
    }

    /// Returns the port of 127.0.0.1. `None` on a unix socket.
    pub(crate) fn port(&self) -> Option<u16> {
        match self.address {
            Address::Tcp(port) | Address::Tls(port) => Some(port),
            Address::Unix(_) => None,
        }
    }

    /// Returns the CA of the server certificate, if the server uses TLS.
    pub(crate) fn ca_pem(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// Returns the process id of the running server.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Sends one command as the default user and returns the reply.
    ///
    /// # Errors
    ///
    /// An error of the server, or if the server is stopped, or paused (after 30 s).
    pub(crate) async fn command<T: FromRedisValue>(&self, command: &[&str]) -> Result<T> {
        self.control.command(command).await
    }

    /// Returns a field of `INFO`. `None` if the server has no such field.
    pub(crate) async fn info(&self, field: &str) -> Result<Option<String>> {
        let info: String = self.command(&["INFO"]).await?;
        let value = info
            .lines()
            .find_map(|line| line.split_once(':').filter(|(name, _)| *name == field));
        Ok(value.map(|(_, value)| value.trim().to_owned()))
    }

    /// Deletes all data.
    pub(crate) async fn flush(&self) -> Result<()> {
        self.command(&["FLUSHALL"]).await
    }

    /// Kills the server: open connections break, and new ones are refused. No effect if it is stopped.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Starts a stopped server at the same address, without data.
    ///
    /// # Errors
    ///
    /// If the server is running, and those of [`Builder::start`].
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        ensure!(self.process.is_none(), "{:?} runs already", self.address);
        let path = self.program.path()?;
        let mut process = Process::start(&path, &self.arguments, self.directory.path())?;
        let control = &self.control;
        eventually("the server answers", async || {
            if let Some(status) = process.ended()? {
                return Err(Permanent::error(format!("it ended ({status}); {process}")));
            }
            control.command::<()>(&["PING"]).await
        })
        .await?;
        self.process = Some(process);
        Ok(())
    }

    /// Pauses the server: it accepts connections, and does not respond (`SIGSTOP`).
    pub(crate) fn pause(&self) -> Result<()> {
        self.running()?.pause()
    }

    /// Resumes the server, which then processes all pending requests.
    pub(crate) fn resume(&self) -> Result<()> {
        self.running()?.resume()
    }

    fn running(&self) -> Result<&Process> {
        self.process.as_ref().context("the server is stopped")
    }
}
