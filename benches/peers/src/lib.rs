//! A read of the cached token by `auth_core` and by other libraries, each used as its own documentation
//! says.

#![forbid(unsafe_code)]
// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod libraries;
mod loopback;
pub mod source;
