#![doc = include_str!("../README.md")]
//!
//! # Items
//!
//! | task | item |
//! |---|---|
//! | share tokens through Redis or Valkey | [`RedisStore`] ([`RedisStoreBuilder`]) in [`TokenCacheBuilder::shared_store`](auth_core::TokenCacheBuilder::shared_store) |
//! | read the seal keys | [`SealKeys`] |
//! | set how long a crashed holder delays the others | [`RedisStoreBuilder::lease`] |
//! | store tokens unsealed | [`RedisStoreBuilder::danger_plaintext`] |
//! | count the failures of the store | [`CacheStatus::shared_store_failures`](auth_core::CacheStatus::shared_store_failures) |
//! | save the token before a short-lived program exits | [`TokenCache::flush`](auth_core::TokenCache::flush) |
//! | implement a store in another database | [`SharedTokenStore`](auth_core::shared_store::SharedTokenStore) |

mod address;
mod builder;
mod channels;
#[cfg(test)]
mod clock_tests;
mod connection;
mod error;
mod event_limits;
mod events;
mod format;
mod lease;
mod lease_claim;
mod link;
#[cfg(test)]
mod rollback_simulation;
mod scripts;
mod seal_key_file;
mod seal_keys;
#[cfg(feature = "sentinel")]
mod sentinel_builder;
mod server;
mod settings;
mod store;
mod subscription;
mod token_codec;
mod waits;

pub use auth_core;
pub use builder::RedisStoreBuilder;
pub use seal_keys::SealKeys;
#[cfg(feature = "sentinel")]
pub use sentinel_builder::SentinelStoreBuilder;
pub use store::RedisStore;
