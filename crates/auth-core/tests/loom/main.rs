//! Every order in which the cache's threads can interleave, explored by loom:
//! `RUSTFLAGS="--cfg auth_loom" cargo test --release -p auth-core --test loom`.
//!
//! Under loom a task is a thread, and time stands still unless a test moves it. loom trusts arc-swap
//! and tokio's channels. It explores the state machine made of them.

#![cfg(auth_loom)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod abandoned_fetch;
mod cold;
mod per_thread;
mod refresh;
mod rejection;
mod scripted;
mod setting;
mod turns;

use std::sync::{Mutex, PoisonError};

use loom::model::Builder;

/// Explores all orders with at most four preemptions, or as many as `LOOM_MAX_PREEMPTIONS` sets.
///
/// Runs one test at a time: the cache numbers threads across all tests.
fn every_order(test: impl Fn() + Send + Sync + 'static) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(4));
    builder.check(test);
}
