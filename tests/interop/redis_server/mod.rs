//! Throw-away Redis and Valkey servers on loopback, for one test each.
//!
//! A server listens on a port of 127.0.0.1 that nobody else has, or on a unix socket, keeps nothing
//! on disk, and answers when `start` returns. Dropping the value kills exactly that process and
//! removes its directory; if a test panics, the server's log is shown with it.
//!
//! ```ignore
//! let mut server = RedisServer::builder(Program::Valkey).maxmemory(3 << 20).start().await?;
//! // … the store under test, at server.url() …
//! server.stop();
//! server.start_again().await?; // the same port, empty
//! server.pause()?; // it hangs, until resume()
//! ```
//!
//! It needs nothing of this test's other modules. The programs are where `cargo xtask test` says: `INTEROP_REDIS` and
//! `INTEROP_VALKEY`.

mod builder;
mod certificates;
mod cluster;
mod control;
mod directory;
mod eventually;
mod port;
mod process;
mod program;
mod sentinel;
mod server;

pub(crate) use self::{
    builder::Builder, cluster::Cluster, program::Program, sentinel::Sentinel, server::RedisServer,
};
