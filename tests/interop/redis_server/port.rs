//! A port of 127.0.0.1 that stays reserved while no server listens on it.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpSocket;

/// The offset of the cluster bus port from the port of a server.
const CLUSTER_BUS: u16 = 10_000;

/// A socket that is bound and never listens.
///
/// The system does not assign its port to other sockets, and refuses connections to it. Because both sockets
/// have `SO_REUSEADDR`, the server can listen on the port nevertheless (Linux).
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

    /// Reserves a port and its cluster bus port.
    pub(super) fn reserve_with_cluster_bus() -> Result<(Self, Self)> {
        // unusable ports stay reserved, so that the system does not assign them again
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
