#![doc = include_str!("../README.md")]

mod address;
mod builder;
mod connection;
mod error;
mod events;
mod lease;
mod link;
mod names;
mod random;
mod scripts;
mod seal;
mod sealing;
mod server;
mod store;
mod value;
mod waiting;

pub use auth_core;
pub use builder::RedisStoreBuilder;
pub use seal::SealKeys;
pub use store::RedisStore;
