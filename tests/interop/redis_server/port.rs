//! A port of 127.0.0.1 that stays ours while no server listens on it.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpSocket;

/// How far above a server's port its port for the rest of the cluster is.
const CLUSTER_BUS: u16 = 10_000;

/// A socket that is bound and never listens.
///
/// The system gives its port to nobody who asks for any, refuses connections to it, and, both sockets
/// having `SO_REUSEADDR`, lets the server listen there all the same (Linux).
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    _reserved: TcpSocket,
}

impl Port {
    pub(super) fn reserve() -> Result<Self> {
        let reserved = bound(0).context("no free port on 127.0.0.1")?;
        let number = reserved.local_addr()?.port();
        Ok(Self {
            number,
            _reserved: reserved,
        })
    }

    /// One whose port for the cluster bus is free as well, and the reservation of that.
    pub(super) fn reserve_with_cluster_bus() -> Result<(Self, Self)> {
        // in vain are kept, or the system might name them again
        let mut in_vain = Vec::new();
        while in_vain.len() < 1000 {
            let port = Self::reserve()?;
            let bus = port.number.checked_add(CLUSTER_BUS);
            if let Some((number, reserved)) = bus.and_then(|bus| Some((bus, bound(bus).ok()?))) {
                let bus = Self {
                    number,
                    _reserved: reserved,
                };
                return Ok((port, bus));
            }
            in_vain.push(port);
        }
        bail!("none of 1000 free ports has a free one {CLUSTER_BUS} above it");
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

fn bound(port: u16) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}
