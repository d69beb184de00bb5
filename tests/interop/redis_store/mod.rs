//! `RedisStore` against a Redis server: the one at `AUTH_TEST_REDIS_URL`, or one that a test starts by
//! the program `INTEROP_REDIS`. `cargo xtask test` sets both variables.

mod cluster;
mod conformance;
mod dropped_waiters;
mod error_replies;
mod events;
mod fixture;
mod forged_leases;
mod kept_waiting;
mod large_tokens;
mod leases;
mod notifications;
mod outages;
mod restored_tokens;
mod sentinel;
mod server;
mod tcp_relay;
mod temporary_directory;
mod tls;
mod tokens;
mod unix_socket;
mod waits;
