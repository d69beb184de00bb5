#![doc = include_str!("../README.md")]
//!
//! # Items
//!
//! | task | item |
//! |---|---|
//! | authorize the requests of a tower client | [`AuthLayer`], [`Auth`] ([`ResponseFuture`], [`ResponseBody`]) |
//! | send token requests through a tower client | [`TowerTransport`] |
//! | a client of hyper that sends each token request over a new connection | [`HyperClient`] |
//! | choose how bodies are kept for a replay | [`Bounded`] ([`Recording`]), [`CloneBody`], [`NoReplay`], [`Replay`] |
//! | follow redirects inside the layer where tokens are bound to a key | [`ProofGuardLayer`] ([`ProofGuard`], [`GuardedFuture`]) |
//! | place the layer in a stack | [`guide::layers`] |
//! | trust a channel without checking its endpoint | [`AuthorizerBuilder::danger_trust_channel`](auth_core::AuthorizerBuilder::danger_trust_channel) |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod deadline;
mod error;
mod exchange;
mod future;
mod grpc_timeout;
pub mod guide;
#[cfg(feature = "hyper")]
mod hyper_client;
#[cfg(feature = "hyper")]
mod identity;
mod layer;
mod proof_guard;
mod response_body;
mod service;
#[cfg(feature = "tonic")]
mod tonic;
mod transport;
#[cfg(feature = "hyper")]
mod used_connection;

pub use auth_core;
pub use auth_replay::{Bounded, CloneBody, NoReplay, Recording, Replay};
pub use future::ResponseFuture;
#[cfg(feature = "hyper")]
pub use hyper_client::HyperClient;
pub use layer::AuthLayer;
pub use proof_guard::{GuardedFuture, ProofGuard, ProofGuardLayer};
pub use response_body::ResponseBody;
pub use service::Auth;
pub use transport::TowerTransport;
