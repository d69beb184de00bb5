//! Our read of the cached token beside our rivals', each used as its own documentation says.

#![forbid(unsafe_code)]
// a bench that cannot be set up has nothing better to do
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod failing;
mod loopback;
pub mod rivals;
