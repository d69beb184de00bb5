//! What an operator sees: every event of the crate, so that names and levels agree. None is on the
//! path of a request that finds its token.

use std::{
    error::Error as _,
    fmt,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::SystemTime,
};

use crate::{AccessToken, Error};

/// `shared`: another process had asked for it.
pub(crate) fn token_received(token: &AccessToken, shared: bool) {
    let left = token.expires_at().duration_since(SystemTime::now());
    tracing::debug!(
        generation = token.authorization().generation(),
        expires_in_s = left.unwrap_or_default().as_secs(),
        scope = %token.scopes(),
        shared,
        "access token received"
    );
}

pub(crate) fn second_attempt(error: &Error) {
    tracing::debug!(%error, cause = %Causes(error), "connection failed before an answer; trying once more");
}

/// What the store was to do, and why it did not. The request for a token goes on without it.
pub(crate) fn shared_store_failed(operation: &'static str, error: &Error) {
    tracing::warn!(operation, %error, cause = %Causes(error), "shared token store failed; going on without it");
}

pub(crate) fn lease_held_too_long() {
    tracing::warn!(
        "another process is to request the token, and no token has come; one of those who wait requests it as well"
    );
}

/// Told once.
pub(crate) fn not_shareable() {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Relaxed) {
        tracing::warn!("tokens are not shared: their source has no key for them");
    }
}

/// `served`: whether a usable token stays in use meanwhile.
pub(crate) fn token_request_failed(error: &Error, served: bool) {
    let (kind, cause) = (error.kind().as_str(), Causes(error));
    if served {
        tracing::warn!(kind, %error, %cause, "token renewal failed; the current token stays in use");
    } else {
        tracing::error!(kind, %error, %cause, "token request failed; there is no usable token");
    }
}

/// What an error came from, outermost first.
struct Causes<'a>(&'a Error);

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

/// `why` no other token is asked for, although the API refused this one.
pub(crate) fn renewal_withheld(generation: u64, why: &str) {
    tracing::debug!(
        generation,
        why,
        "access token refused; no other is requested"
    );
}

pub(crate) fn token_refused(generation: u64, replayed: bool) {
    tracing::info!(generation, replayed, "access token refused by the API");
}

/// Told once per destination.
pub(crate) fn stranger(destination: &dyn fmt::Display) {
    tracing::warn!(
        %destination,
        "request sent without a token: its destination is not among the allowed origins"
    );
}

/// Debug, not a warning: it is what the user's function said.
pub(crate) fn nobodys_request() {
    tracing::debug!("request sent without a token: it belongs to no tenant");
}

pub(crate) fn untrusted_channel() {
    tracing::warn!(
        "request sent without a token: its URI does not prove where it goes, as with tonic's \
         Channel; build the layer for the endpoint, or declare the channel trusted"
    );
}
