//! The warnings about an authorization server, each of which is logged once per source.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::response::ReadResponse;
use crate::events;

/// The warnings that a source and its clones have logged.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    token_type: AtomicBool,
    lifetime: AtomicBool,
}

impl Warnings {
    /// Logs what the response of `token_endpoint` lacked, unless a response lacked it before.
    pub(super) fn log(&self, read: &ReadResponse, token_endpoint: &str) {
        let is_first = |logged: &AtomicBool| !logged.swap(true, Relaxed);
        if read.lacks_token_type && is_first(&self.token_type) {
            events::token_type_missing(token_endpoint);
        }
        if read.has_unreadable_lifetime && is_first(&self.lifetime) {
            events::lifetime_unreadable(token_endpoint);
        }
    }
}
