//! Tells the redirect policy that a request carries a proof.

use std::future::Future;

tokio::task_local! {
    static CARRIES_PROOF: ();
}

/// Runs the sending of a request whose proof is valid for its own URL alone. reqwest asks its redirect
/// policy in the task that polls the response.
pub(crate) async fn with_proof<F: Future>(sending: F) -> F::Output {
    CARRIES_PROOF.scope((), sending).await
}

/// Returns whether the caller runs in such a sending.
pub(crate) fn carries_proof() -> bool {
    CARRIES_PROOF.try_with(|()| ()).is_ok()
}
