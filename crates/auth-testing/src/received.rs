//! The server that received a token request, and the time.

use std::time::Duration;

/// What an assertion is verified against.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "jose"),
    expect(
        dead_code,
        reason = "only signed assertions name their server and their time"
    )
)]
pub(crate) struct Received<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) token_endpoint: &'a str,
    /// Since 1970-01-01 00:00:00 UTC.
    pub(crate) now: Duration,
}
