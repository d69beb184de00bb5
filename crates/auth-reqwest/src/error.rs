//! The errors of the middleware.

use reqwest::Url;
use reqwest_middleware::Error;

/// Returns the error for a request that is not sent.
pub(crate) fn not_sent(error: auth_core::Error) -> Error {
    findable(format!("request not sent: {error}"), error)
}

/// Returns the error for a request whose deadline passed. `error` says what the request waited for.
pub(crate) fn deadline_passed(error: auth_core::Error) -> Error {
    findable(error.to_string(), error)
}

/// Returns the error for a request whose proof the client has repeated for `target`.
pub(crate) fn proof_repeated(target: &Url) -> Error {
    let origin = target.origin().ascii_serialization();
    let error = auth_core::Error::new(
        auth_core::ErrorKind::Redirected,
        format!(
            "request with a DPoP proof: expected a client that follows no redirect with it, got a response \
             of {origin} to which the client repeated the proof after a redirect; build the client with \
             client_builder or redirect_policy"
        ),
    );
    findable(error.to_string(), error)
}

/// [`Error::Middleware`] shows the text of its first error and hides the error itself from a walk of
/// the sources. The first error is therefore a context, and the second one is `error`. It can be
/// downcast from the `anyhow::Error`, and [`auth_core::Error::find`] finds it, also if other
/// middlewares wrap it.
fn findable(context: String, error: auth_core::Error) -> Error {
    Error::Middleware(anyhow::Error::new(error).context(context))
}
