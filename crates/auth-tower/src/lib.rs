#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod error;
mod exchange;
mod future;
pub mod guide;
mod layer;
mod service;
#[cfg(feature = "tonic")]
mod tonic;
mod transport;

pub use auth_core;
pub use auth_replay::{Bounded, CloneBody, NoReplay, Recording, Replay};
pub use future::ResponseFuture;
pub use layer::AuthLayer;
pub use service::Auth;
pub use transport::TowerTransport;
