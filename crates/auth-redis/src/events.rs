//! What is told to the log. Never a token, a key or a name that tells something.

use auth_core::Error;

use crate::value::Unreadable;

pub(crate) fn unreadable(name: &str, why: Unreadable) {
    tracing::warn!(
        name,
        reason = why.as_str(),
        "a stored token cannot be read; taken as absent"
    );
}

pub(crate) fn not_subscribed(error: &Error) {
    tracing::warn!(
        %error,
        "no notifications from the shared token store; looking there about once a second instead"
    );
}

pub(crate) fn lease_not_renewed(error: &Error) {
    tracing::warn!(%error, "the lease on a token request was not renewed; trying again");
}

pub(crate) fn lease_lost() {
    tracing::warn!("the lease on a token request was lost; others may request the same token");
}

pub(crate) fn not_connected(error: &Error) {
    tracing::warn!(%error, "no connection to the shared token store");
}

pub(crate) fn connected(place: &str) {
    tracing::debug!(place, "connected to the shared token store");
}
