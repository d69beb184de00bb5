//! Asking a store, which has to answer in time and without an error.

use std::{future::Future, time::Duration};

use auth_core::{Lease, SharedKey, SharedToken, SharedTokenStore, TokenRequest};
use tokio::time::timeout;

use super::PATIENCE;

pub(super) const LIFETIME: Duration = Duration::from_secs(600);

pub(super) fn key() -> SharedKey {
    let random = format!("{:032x}", fastrand::u128(..));
    SharedKey::new(["conformance", &random], &TokenRequest::default())
}

pub(super) fn token(secret: &str, age: u64) -> SharedToken {
    let token = SharedToken::bearer(secret).unwrap_or_else(|error| panic!("{error}"));
    token.lifetime(LIFETIME).age(Duration::from_secs(age))
}

pub(super) async fn loaded(store: &dyn SharedTokenStore, key: &SharedKey) -> Option<SharedToken> {
    answer("load", store.load(key)).await
}

pub(super) async fn saved(store: &dyn SharedTokenStore, key: &SharedKey, token: &SharedToken) {
    answer("save", store.save(key, token)).await;
}

pub(super) async fn leased(
    store: &dyn SharedTokenStore,
    key: &SharedKey,
) -> Option<Box<dyn Lease>> {
    answer("lease", store.lease(key)).await
}

pub(super) async fn answer<T>(
    operation: &str,
    outcome: impl Future<Output = Result<T, auth_core::Error>>,
) -> T {
    match timeout(PATIENCE, outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => panic!("{operation}: expected it to work, got: {error}"),
        Err(_) => panic!("{operation}: expected an answer within {PATIENCE:?}, got none"),
    }
}

#[track_caller]
pub(super) fn is_secret(found: Option<&SharedToken>, secret: &str, rule: &str) {
    let found = found.map(SharedToken::secret);
    assert!(
        found == Some(secret),
        "{rule}; there is {}",
        match found {
            None => "none",
            Some(_) => "another",
        }
    );
}
