#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod exchange;
mod future;
mod layer;
mod service;
mod shared;
#[cfg(feature = "tonic")]
mod tonic;
mod transport;

pub use auth_core;
pub use auth_replay::{Bounded, CloneBody, Never, Replay, Tape};
pub use future::AuthFuture;
pub use layer::AuthLayer;
pub use service::Auth;
pub use transport::TowerTransport;
