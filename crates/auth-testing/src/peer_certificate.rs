//! The certificate that a client presented on its connection.

use std::{fmt, sync::Arc};

/// The certificate of a client. The extensions of its requests hold it.
#[derive(Clone)]
#[cfg_attr(
    not(feature = "tls"),
    expect(dead_code, reason = "without TLS there are no certificates")
)]
pub(crate) struct PeerCertificate {
    pub(crate) thumbprint: Arc<str>,
    /// Whether the authority of the server signed it.
    pub(crate) is_trusted: bool,
    has_name: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl PeerCertificate {
    #[cfg(feature = "tls")]
    pub(crate) fn new(
        thumbprint: String,
        is_trusted: bool,
        has_name: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            thumbprint: thumbprint.into(),
            is_trusted,
            has_name: Arc::new(has_name),
        }
    }

    /// Returns whether the certificate is for this DNS name.
    #[cfg(feature = "tls")]
    pub(crate) fn has_name(&self, name: &str) -> bool {
        (self.has_name)(name)
    }
}

impl fmt::Debug for PeerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerCertificate")
            .field("thumbprint", &self.thumbprint)
            .field("is_trusted", &self.is_trusted)
            .finish_non_exhaustive()
    }
}
