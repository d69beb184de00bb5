//! Operations of a store, each of which has to finish in time and without an error.

use std::{future::Future, time::Duration};

use auth_core::{
    AccessTokenType, TokenRequest,
    shared_store::{Lease, SharedKey, SharedToken, SharedTokenStore},
};
use tokio::time::timeout;

pub(super) const LIFETIME: Duration = Duration::from_secs(600);
/// Longer than any store keeps a lease that is not held, or a token that has ended.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Returns a key that no other run uses.
pub(super) fn random_key() -> SharedKey {
    let random = format!("{:032x}", fastrand::u128(..));
    SharedKey::new(["conformance", &random], &TokenRequest::default())
}

/// Returns a token with [`LIFETIME`] that is `age` seconds old.
pub(super) fn token(secret: &str, age: u64) -> SharedToken {
    token_of(AccessTokenType::Bearer, secret, age)
}

/// Returns a token of this type, like [`token`].
pub(super) fn token_of(token_type: AccessTokenType, secret: &str, age: u64) -> SharedToken {
    let token = match token_type {
        AccessTokenType::Dpop => SharedToken::dpop(secret),
        _ => SharedToken::bearer(secret),
    };
    token
        .unwrap_or_else(|error| panic!("{error}"))
        .with_lifetime(LIFETIME)
        .with_age(Duration::from_secs(age))
}

pub(super) async fn load(store: &dyn SharedTokenStore, key: &SharedKey) -> Option<SharedToken> {
    outcome("load", store.load(key)).await
}

pub(super) async fn save(store: &dyn SharedTokenStore, key: &SharedKey, token: &SharedToken) {
    outcome("save", store.save(key, token)).await;
}

pub(super) async fn lease(store: &dyn SharedTokenStore, key: &SharedKey) -> Option<Box<dyn Lease>> {
    outcome("lease", store.lease(key)).await
}

/// Returns the outcome of an operation.
pub(super) async fn outcome<T>(
    operation: &str,
    result: impl Future<Output = Result<T, auth_core::Error>>,
) -> T {
    match timeout(PATIENCE, result).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => panic!("{operation}: expected success, got the error: {error}"),
        Err(_) => panic!("{operation}: expected an outcome within {PATIENCE:?}, got none"),
    }
}

/// Fails with `rule` if `found` is not the token `secret`. The message does not show the token.
#[track_caller]
pub(super) fn assert_is_token(found: Option<&SharedToken>, secret: &str, rule: &str) {
    let found = found.map(SharedToken::secret);
    assert!(
        found == Some(secret),
        "{rule}; load returned {}",
        match found {
            None => "no token",
            Some(_) => "another token",
        }
    );
}
