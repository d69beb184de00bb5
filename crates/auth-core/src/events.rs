//! The log events of the crate: one function for each event, with a fixed name, structured fields
//! and a message for operators. The functions take plain values. A request that finds its token
//! emits no event.

use std::{
    error::Error as StdError,
    fmt, iter,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use crate::visible_text::{Visible, visible};

/// The causes that are logged of one error. A chain of causes may have no end.
const MAX_CAUSES: usize = 16;

/// A token was received. `from_store`: another process had requested it.
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
        scope = %Visible(scopes),
        from_shared_store = from_store,
        "access token received"
    );
}

/// The connection to the token endpoint failed, and the request is repeated.
pub(crate) fn connection_retried(error: &dyn StdError) {
    tracing::debug!(
        name: "auth_core.connection_retried",
        error = %Visible(error),
        cause = %Visible(Causes(error)),
        "the connection to the token endpoint failed before a response; the token request is repeated once"
    );
}

/// A token response has no `token_type`. Emitted once per source.
pub(crate) fn token_type_missing(token_endpoint: &str) {
    tracing::warn!(
        name: "auth_core.token_type_missing",
        token_endpoint,
        "the token response has no token_type; the token is sent as a bearer token"
    );
}

/// The metadata of an authorization server does not name the client's authentication method. Emitted
/// once per source.
pub(crate) fn method_not_supported(issuer: &str, method: &str, supported: &str) {
    tracing::warn!(
        name: "auth_core.method_not_supported",
        issuer = %Visible(&issuer),
        method,
        supported = %Visible(&supported),
        "the metadata of the authorization server does not name the authentication method of this client; \
         the token request is sent nevertheless"
    );
}

/// The metadata of an authorization server could not be requested again, and the last document stays in
/// use. Emitted at the first failure after each document.
pub(crate) fn metadata_refresh_failed(
    issuer: &str,
    error: &dyn StdError,
    next_attempt_in: Duration,
) {
    tracing::warn!(
        name: "auth_core.metadata_refresh_failed",
        issuer = %Visible(&issuer),
        error = %Visible(error),
        cause = %Visible(Causes(error)),
        next_attempt_in_s = next_attempt_in.as_secs(),
        "the metadata of the authorization server could not be requested again; the last document stays in \
         use, and further failures are not logged until there is another document"
    );
}

/// A token response has an `expires_in` that is no lifetime. Emitted once per source.
pub(crate) fn lifetime_unreadable(token_endpoint: &str) {
    tracing::warn!(
        name: "auth_core.lifetime_unreadable",
        token_endpoint,
        "the token response has an expires_in that is not a number of seconds from 1 s to 100 years; the default lifetime of the refresh policy is used"
    );
}

/// An operation of the shared store failed. The fetch continues without the store.
pub(crate) fn shared_store_failed(operation: &'static str, error: &dyn StdError) {
    tracing::warn!(
        name: "auth_core.shared_store_failed",
        operation,
        error = %Visible(error),
        cause = %Visible(Causes(error)),
        "an operation of the shared store failed; this process continues without the store"
    );
}

/// The wait for the token of another process has ended without one.
pub(crate) fn lease_held_too_long() {
    tracing::warn!(
        name: "auth_core.lease_held_too_long",
        "the process that holds the lease has not saved a token in time; one of the waiting processes requests the token under the fallback lease"
    );
}

/// A server sent a nonce that cannot be used in a proof. Emitted once per key and once per token
/// endpoint.
pub(crate) fn dpop_nonce_ignored(server: &str, got: &'static str) {
    tracing::warn!(
        name: "auth_core.dpop_nonce_ignored",
        server,
        got,
        "the DPoP-Nonce of a response is ignored: expected one header of 1 to 4,096 characters that RFC 9449 section 8.1 permits"
    );
}

/// The token source does not support a shared store. Emitted once per process.
pub(crate) fn source_has_no_shared_key() {
    static EMITTED: AtomicBool = AtomicBool::new(false);
    if !EMITTED.swap(true, Relaxed) {
        tracing::warn!(
            name: "auth_core.source_has_no_shared_key",
            "the shared store is not used: the token source returns no shared key; implement TokenSource::shared_key"
        );
    }
}

/// A failed token request.
pub(crate) struct FailedTokenRequest<'a> {
    pub(crate) error: &'a dyn StdError,
    /// The name of the error's kind.
    pub(crate) kind: &'static str,
    /// The status of the token endpoint's response.
    pub(crate) status: Option<u16>,
    /// The code of the error response.
    pub(crate) error_code: Option<&'a str>,
    pub(crate) next_attempt_in: Option<Duration>,
}

/// A token request failed. `has_usable_token`: the current token stays in use.
pub(crate) fn token_request_failed(failed: &FailedTokenRequest<'_>, has_usable_token: bool) {
    let FailedTokenRequest {
        error,
        kind,
        status,
        error_code,
        next_attempt_in,
    } = *failed;
    let (error, cause) = (Visible(error), Visible(Causes(error)));
    let error_code = error_code.map(visible);
    let error_code = error_code.as_deref();
    let next_attempt_in_s = next_attempt_in.map(|wait| wait.as_secs_f64());
    if has_usable_token {
        tracing::warn!(
            name: "auth_core.refresh_failed",
            kind,
            status,
            error_code,
            next_attempt_in_s,
            %error,
            %cause,
            "token refresh failed; the current token stays in use"
        );
    } else {
        tracing::error!(
            name: "auth_core.token_request_failed",
            kind,
            status,
            error_code,
            next_attempt_in_s,
            %error,
            %cause,
            "token request failed; there is no usable token"
        );
    }
}

/// The credentials have changed since they were denied: the backoff ends.
pub(crate) fn credentials_changed() {
    tracing::info!(
        name: "auth_core.credentials_changed",
        "the client's credentials have changed since the authorization server denied them; the next token request is made at once"
    );
}

/// The program revoked a token.
pub(crate) fn token_revoked(generation: u64) {
    tracing::info!(
        name: "auth_core.token_revoked",
        generation,
        "the access token was revoked at the authorization server, and is no longer used"
    );
}

/// The causes of an error, outermost first.
struct Causes<'a>(&'a dyn StdError);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes = iter::successors(self.0.source(), |error| (**error).source());
        for (i, error) in causes.take(MAX_CAUSES).enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { ": " })?;
        }
        Ok(())
    }
}

/// An API rejected a token, and no replacement is requested because of `reason`. `suppressed`: the
/// number of events since the last emitted one.
pub(crate) fn replacement_withheld(generation: u64, reason: &str, suppressed: u64) {
    tracing::debug!(
        name: "auth_core.replacement_withheld",
        generation,
        reason,
        suppressed,
        "the API rejected the access token; no replacement is requested"
    );
}

/// An API rejected a token. `explicit`: it stated `error="invalid_token"`. `replayable`: the request
/// is replayed if there is another token. `suppressed`: the number of events since the last emitted
/// one, at most one being emitted a second for each cache.
pub(crate) fn token_rejected(generation: u64, explicit: bool, replayable: bool, suppressed: u64) {
    tracing::info!(
        name: "auth_core.token_rejected",
        generation,
        explicit,
        replayable,
        suppressed,
        "the API rejected the access token"
    );
}

/// A request goes to an unlisted origin. Emitted once for each of the first 64 destinations.
pub(crate) fn unlisted_origin(destination: &dyn fmt::Display) {
    tracing::warn!(
        name: "auth_core.unlisted_origin",
        destination = %Visible(destination),
        "request sent without a token: its destination is not among the allowed origins"
    );
}

/// The `Host` header of a request names another authority than its URI or its channel. Emitted once
/// for each of the first 64 destinations.
pub(crate) fn host_mismatch(destination: &dyn fmt::Display, hosts: &str) {
    tracing::warn!(
        name: "auth_core.host_mismatch",
        %destination,
        host = hosts,
        "request sent without a token: its Host header names another authority than its destination"
    );
}

/// A 65th destination is not logged. `reason` is the name of the event that is omitted from now on.
/// Emitted once for each reason.
pub(crate) fn more_destinations(reason: &'static str) {
    tracing::warn!(
        name: "auth_core.more_destinations",
        reason,
        "request sent without a token: 64 destinations were logged for this reason, and further ones are not logged"
    );
}

/// A request belongs to no tenant. Debug level, because the function of the caller decided so.
pub(crate) fn no_tenant() {
    tracing::debug!(
        name: "auth_core.no_tenant",
        "request sent without a token: it belongs to no tenant"
    );
}

/// A request goes through a channel whose destination is not known. Emitted once per authorizer.
pub(crate) fn untrusted_channel() {
    tracing::warn!(
        name: "auth_core.untrusted_channel",
        "request sent without a token: its URI does not prove its destination, as with tonic's \
         Channel; use AuthLayer::for_endpoint or AuthorizerBuilder::danger_trust_channel"
    );
}

/// Users other than its owner and its group may read or write the file of a client's secret. Emitted once per path.
pub(crate) fn secret_file_permissions(path: &dyn fmt::Display, mode: u32) {
    tracing::warn!(
        name: "auth_core.secret_file_permissions",
        path = %Visible(path),
        mode = %format_args!("{mode:04o}"),
        "users other than its owner and its group may read or write this file, which holds a secret, a key or an assertion; run chmod 600 on it"
    );
}

/// A token request has ended while it waited for the file of the client's secret.
pub(crate) fn secret_file_unread(path: &dyn fmt::Display) {
    tracing::warn!(
        name: "auth_core.secret_file_unread",
        path = %Visible(path),
        "a token request ended before a file that it needs was read; the read continues, \
         and the next token request waits for it"
    );
}
