//! The errors of the middleware.

use reqwest_middleware::Error;

/// Returns the error for a request that is not sent.
///
/// [`Error::Middleware`] shows the text of its first error and hides the error itself from a walk of
/// the sources. The first error is therefore a context with the same text, and the second one is
/// `error`. It can be downcast from the `anyhow::Error`, and
/// [`auth_core::Error::find`] finds it, also if other middlewares wrap it.
pub(crate) fn not_sent(error: auth_core::Error) -> Error {
    let context = format!("request not sent: {error}");
    Error::Middleware(anyhow::Error::new(error).context(context))
}
