//! The synchronization primitives of the cache. Under `--cfg auth_loom` they are loom's, and
//! `tests/loom` explores the interleavings of threads.

#[cfg(not(auth_loom))]
pub(super) use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread_local,
};

#[cfg(auth_loom)]
pub(super) use loom::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize},
    },
    thread_local,
};
