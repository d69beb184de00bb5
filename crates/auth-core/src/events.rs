//! Every log event of the crate, so that names and levels agree. Events take plain values. None is on
//! the path of a request that finds its token.

use std::{
    error::Error as StdError,
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::SystemTime,
};

/// `from_store`: another process had requested the token.
pub(crate) fn token_received(
    generation: u64,
    expires_at: SystemTime,
    scopes: &dyn fmt::Display,
    from_store: bool,
) {
    let left = expires_at.duration_since(SystemTime::now());
    tracing::debug!(
        name: "auth_core.token_received",
        generation,
        expires_in_s = left.unwrap_or_default().as_secs(),
        scope = %scopes,
        from_shared_store = from_store,
        "access token received"
    );
}

pub(crate) fn connection_retried(error: &dyn StdError) {
    tracing::debug!(
        name: "auth_core.connection_retried",
        %error,
        cause = %Causes(error),
        "the connection to the token endpoint failed before a response; the token request is repeated once"
    );
}

/// The fetch goes on without the store.
pub(crate) fn shared_store_failed(operation: &'static str, error: &dyn StdError) {
    tracing::warn!(
        name: "auth_core.shared_store_failed",
        operation,
        %error,
        cause = %Causes(error),
        "the shared store failed; this process goes on without it"
    );
}

pub(crate) fn lease_held_too_long() {
    tracing::warn!(
        name: "auth_core.lease_held_too_long",
        "the process that holds the lease has saved no token in time; one waiting process requests the token under the fallback lease"
    );
}

/// Emitted once per process.
pub(crate) fn source_has_no_shared_key() {
    static EMITTED: AtomicBool = AtomicBool::new(false);
    if !EMITTED.swap(true, Relaxed) {
        tracing::warn!(
            name: "auth_core.source_has_no_shared_key",
            "tokens are not shared although a shared store is configured: the token source returns no shared key; implement TokenSource::shared_key"
        );
    }
}

/// `kind`: the name of the error's kind. `has_usable_token`: the current token stays in use.
pub(crate) fn token_request_failed(
    kind: &'static str,
    error: &dyn StdError,
    has_usable_token: bool,
) {
    let cause = Causes(error);
    if has_usable_token {
        tracing::warn!(
            name: "auth_core.refresh_failed",
            kind,
            %error,
            %cause,
            "token refresh failed; the current token stays in use"
        );
    } else {
        tracing::error!(
            name: "auth_core.token_request_failed",
            kind,
            %error,
            %cause,
            "token request failed; there is no usable token"
        );
    }
}

/// The causes of an error, outermost first.
struct Causes<'a>(&'a dyn StdError);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cause = self.0.source();
        while let Some(error) = cause {
            cause = error.source();
            write!(f, "{error}{}", if cause.is_some() { ": " } else { "" })?;
        }
        Ok(())
    }
}

/// `reason`: why no replacement is requested for the rejected token.
pub(crate) fn replacement_withheld(generation: u64, reason: &str) {
    tracing::debug!(
        name: "auth_core.replacement_withheld",
        generation,
        reason,
        "the API rejected the access token; no replacement is requested"
    );
}

pub(crate) fn token_rejected(generation: u64, replayable: bool) {
    tracing::info!(
        name: "auth_core.token_rejected",
        generation,
        replayable,
        "the API rejected the access token"
    );
}

/// Emitted once per destination.
pub(crate) fn unlisted_origin(destination: &dyn fmt::Display) {
    tracing::warn!(
        name: "auth_core.unlisted_origin",
        %destination,
        "request sent without a token: its destination is not among the allowed origins"
    );
}

/// Debug level, because the user's own function decided it.
pub(crate) fn no_tenant() {
    tracing::debug!(
        name: "auth_core.no_tenant",
        "request sent without a token: it belongs to no tenant"
    );
}

pub(crate) fn untrusted_channel() {
    tracing::warn!(
        name: "auth_core.untrusted_channel",
        "request sent without a token: its URI does not prove where it goes, as with tonic's \
         Channel; build the layer for the endpoint, or declare the channel trusted"
    );
}
