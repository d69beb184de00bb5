//! The log events of the crate. None shows a token, a seal key or a password.

use std::path::Path;

use auth_core::Error;

use crate::{event_limits::EventLimits, format::Unreadable};

/// `key` is the name of the key in Redis, which holds a hash. `suppressed`: the number of events with
/// this reason since the last emitted one.
pub(crate) fn token_unreadable(limits: &EventLimits, key: &str, reason: Unreadable) {
    let reason = reason.as_str();
    let Some(suppressed) = limits.admit(reason) else {
        return;
    };
    tracing::warn!(
        name: "auth_redis.token_unreadable",
        key,
        reason,
        suppressed,
        "the stored token is unreadable and is treated as absent"
    );
}

/// `key` is the name of the key in Redis, which holds a hash. `suppressed`: the number of events since
/// the last emitted one.
pub(crate) fn lease_unproven(limits: &EventLimits, key: &str) {
    let Some(suppressed) = limits.admit("unproven") else {
        return;
    };
    tracing::warn!(
        name: "auth_redis.lease_unproven",
        key,
        suppressed,
        "no process with the seal key wrote the lease on the token request; it is replaced"
    );
}

pub(crate) fn subscription_failed(error: &Error) {
    tracing::warn!(
        name: "auth_redis.subscription_failed",
        %error,
        "no notifications from the shared token store; waiters poll it about once a second"
    );
}

pub(crate) fn lease_renewal_failed(error: &Error) {
    tracing::warn!(
        name: "auth_redis.lease_renewal_failed",
        %error,
        "the lease on the token request was not renewed; the next attempt follows"
    );
}

pub(crate) fn lease_lost() {
    tracing::warn!(
        name: "auth_redis.lease_lost",
        "the lease on the token request was lost; another process may request the same token"
    );
}

pub(crate) fn connection_failed(error: &Error) {
    tracing::warn!(
        name: "auth_redis.connection_failed",
        %error,
        "no connection to the shared token store"
    );
}

pub(crate) fn connected(server: &str) {
    tracing::debug!(
        name: "auth_redis.connected",
        server,
        "connected to the shared token store"
    );
}

pub(crate) fn seal_key_file_open_to_others(path: &Path, mode: u32) {
    let path = path.display();
    tracing::warn!(
        name: "auth_redis.seal_key_file_open_to_others",
        %path,
        mode = format!("{mode:04o}"),
        "users other than its owner and its group may read or change the seal key file; run: chmod 600 {path}"
    );
}
