//! The log events of the crate.

use std::error::Error as StdError;

/// The files of a certificate were replaced, and new connections use the new one.
pub(crate) fn certificate_replaced(thumbprint: &str) {
    tracing::info!(
        name: "auth_rustls.certificate_replaced",
        thumbprint,
        "the files of the client certificate were replaced; new connections present the new certificate"
    );
}

/// The files of a certificate cannot be used. New connections use the last one.
pub(crate) fn certificate_not_replaced(error: &(dyn StdError + 'static)) {
    tracing::warn!(
        name: "auth_rustls.certificate_not_replaced",
        error,
        "the files of the client certificate cannot be used; new connections present the last certificate \
         that could be read"
    );
}
