//! The settings of a server.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::{
    Program, RedisServer,
    certificates::Certificates,
    directory::Directory,
    port::Port,
    server::{Address, Parts},
};

/// Settings of a [`RedisServer`].
#[derive(Clone, Debug)]
pub(crate) struct Builder {
    program: Program,
    transport: Transport,
    password: Option<String>,
    configuration: String,
    mode: Mode,
}

#[derive(Clone, Copy, Debug)]
enum Transport {
    Tcp,
    Tls,
    Unix,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    Standalone,
    Sentinel,
    Cluster,
}

impl Builder {
    pub(super) fn new(program: Program) -> Self {
        Self {
            program,
            transport: Transport::Tcp,
            password: None,
            configuration: String::new(),
            mode: Mode::Standalone,
        }
    }

    /// Serves only TLS on TCP, with a certificate of [`RedisServer::ca_pem`].
    pub(crate) fn tls(mut self) -> Self {
        self.transport = Transport::Tls;
        self
    }

    /// Serves a unix socket instead of a port.
    pub(crate) fn unix(mut self) -> Self {
        self.transport = Transport::Unix;
        self
    }

    /// Sets the password of the default user (`requirepass`). Default: none.
    pub(crate) fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        let password = quoted(password);
        self.directive(&format!("requirepass {password}"))
    }

    /// Adds a user besides the default one, with `rules` such as `~auth:* &auth:* +get +set`.
    pub(crate) fn acl_user(self, name: &str, password: &str, rules: &str) -> Self {
        let (name, password) = (quoted(name), quoted(&format!(">{password}")));
        self.directive(&format!("user {name} on {password} {rules}"))
    }

    /// Limits the memory, in bytes. A server whose memory is full denies writes (`noeviction`).
    pub(crate) fn maxmemory(self, bytes: u64) -> Self {
        self.directive(&format!("maxmemory {bytes}"))
    }

    /// Adds a line to the configuration file.
    pub(crate) fn directive(mut self, line: &str) -> Self {
        self.configuration.push_str(line);
        self.configuration.push('\n');
        self
    }

    pub(super) fn sentinel(mut self) -> Self {
        self.mode = Mode::Sentinel;
        self
    }

    pub(super) fn cluster(mut self) -> Self {
        self.mode = Mode::Cluster;
        // a long timeout, so that a busy machine is not taken for a failed one
        self.directive("cluster-enabled yes\ncluster-config-file nodes.conf")
            .directive("cluster-node-timeout 15000")
    }

    /// Starts the server, and returns when it responds.
    ///
    /// # Errors
    ///
    /// If the server ends, or does not respond within a minute. The error contains its log.
    pub(crate) async fn start(self) -> Result<RedisServer> {
        let directory = Directory::new()?;
        let socket = directory.file("socket");
        let mut configuration = format!(
            "bind 127.0.0.1\nsave \"\"\nappendonly no\nunixsocket {}\nunixsocketperm 700\n",
            quoted(socket.to_str().context("a path in UTF-8")?)
        );
        let (ports, address, ca) = match self.transport {
            Transport::Tcp => {
                let ports = self.reserve()?;
                writeln!(configuration, "port {}", ports[0].number())?;
                let address = Address::Tcp(ports[0].number());
                (ports, address, None)
            }
            Transport::Tls => {
                let certificates = Certificates::new()?;
                directory.write("server.crt", &certificates.server)?;
                directory.write("server.key", &certificates.server_key)?;
                directory.write("ca.crt", &certificates.ca)?;
                let ports = self.reserve()?;
                writeln!(configuration, "port 0\ntls-port {}", ports[0].number())?;
                configuration.push_str("tls-cert-file server.crt\ntls-key-file server.key\n");
                configuration.push_str("tls-ca-cert-file ca.crt\ntls-auth-clients no\n");
                let address = Address::Tls(ports[0].number());
                (ports, address, Some(certificates.ca))
            }
            Transport::Unix => {
                configuration.push_str("port 0\n");
                (Vec::new(), Address::Unix(socket.clone()), None)
            }
        };
        configuration.push_str(&self.configuration);
        directory.write("redis.conf", &configuration)?;

        let mut arguments = vec!["redis.conf"];
        if self.mode == Mode::Sentinel {
            arguments.push("--sentinel");
        }
        RedisServer::start(Parts {
            program: self.program,
            arguments,
            directory,
            ports,
            address,
            password: self.password,
            ca,
            socket,
        })
        .await
    }

    /// The first address is the one to connect to.
    fn reserve(&self) -> Result<Vec<Port>> {
        if self.mode == Mode::Cluster {
            let (port, bus) = Port::reserve_with_cluster_bus()?;
            return Ok(vec![port, bus]);
        }
        Ok(vec![Port::reserve()?])
    }
}

/// Quotes a value for the configuration file, because it may contain spaces.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
