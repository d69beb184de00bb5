//! Redis and Valkey servers on loopback, for one test each.
//!
//! A server listens on a free port of 127.0.0.1 or on a unix socket, stores nothing on disk, and responds
//! when `start` returns. Dropping the value kills exactly that process and removes its directory. If a test
//! panics, the log of the server is printed.
//!
//! ```ignore
//! let mut server = RedisServer::builder(Program::Valkey).maxmemory(3 << 20).start().await?;
//! // … the store under test, at server.url() …
//! server.stop();
//! server.start_again().await?; // the same port, empty
//! server.pause()?; // it hangs, until resume()
//! ```
//!
//! The module uses no other module of this test. `cargo xtask test` sets the paths of the programs:
//! `INTEROP_REDIS` and `INTEROP_VALKEY`.

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
