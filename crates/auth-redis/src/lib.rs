#![doc = include_str!("../README.md")]

mod address;
mod builder;
mod channels;
mod connection;
mod error;
mod events;
mod format;
mod lease;
mod link;
mod scripts;
mod seal_keys;
#[cfg(feature = "sentinel")]
mod sentinel_builder;
mod server;
mod settings;
mod store;
mod subscription;
mod token_codec;

pub use auth_core;
pub use builder::RedisStoreBuilder;
pub use seal_keys::SealKeys;
#[cfg(feature = "sentinel")]
pub use sentinel_builder::SentinelStoreBuilder;
pub use store::RedisStore;
