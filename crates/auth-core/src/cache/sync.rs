//! The primitives that the cache's own state machine is made of. Under `--cfg auth_loom` they are
//! loom's, and `tests/loom` walks through every order in which threads can meet.

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
