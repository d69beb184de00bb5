#![doc = include_str!("../README.md")]
//!
//! # Items
//!
//! | task | item |
//! |---|---|
//! | run an authorization server | [`AuthorizationServer`] ([`AuthorizationServerBuilder`], [`ClientAuthenticationMethod`]) |
//! | verify what a client signs, with the feature `jose` | `AssertionVerifier` (`VerificationKey`, `AcceptedAudience`), `provider` |
//! | see the certificates of clients, with the feature `tls` | `TestAuthority` (`TestCertificate`) |
//! | change the metadata of the server | [`AuthorizationServer::set_metadata`] ([`MetadataPath`]) |
//! | run a protected API | [`ProtectedApi`] |
//! | make a server fail | [`Answer`], [`Fault`] |
//! | control the time | [`ManualClock`], [`TokioClock`] |
//! | share tokens in one process | [`MemoryStore`] |
//! | test a shared store | [`check_shared_store`] |

mod answer;
#[cfg(feature = "jose")]
mod assertion;
mod authorization_server;
mod dpop;
mod fault;
#[cfg(feature = "grpc")]
mod grpc;
mod issued_tokens;
mod loopback;
mod manual_clock;
mod peer_certificate;
mod protected_api;
#[cfg(feature = "jose")]
pub mod provider;
mod received;
mod recorder;
mod refresh_tokens;
mod script;
mod shared_store;
mod sync;
#[cfg(feature = "tls")]
mod tls;
mod tokio_clock;
mod traffic;

pub use answer::Answer;
#[cfg(feature = "jose")]
pub use assertion::{AcceptedAudience, AssertionVerifier, VerificationKey};
pub use authorization_server::{
    AuthorizationServer, AuthorizationServerBuilder, ClientAuthenticationMethod, MetadataPath,
};
pub use fault::Fault;
#[cfg(feature = "grpc")]
pub use grpc::{BytesCodec, EchoClient};
pub use manual_clock::ManualClock;
pub use protected_api::ProtectedApi;
pub use shared_store::{MemoryStore, check_shared_store};
#[cfg(feature = "tls")]
pub use tls::{TestAuthority, TestCertificate};
pub use tokio_clock::TokioClock;

// their types occur in the signatures above
pub use auth_core;
pub use bytes;
pub use http;
pub use serde_json;
#[cfg(feature = "grpc")]
pub use tonic;
