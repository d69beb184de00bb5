//! The certificate authorities that TLS connections trust.

#[cfg(feature = "tls")]
use auth_core::Error;
use redis::{Client, ConnectionInfo, RedisResult};
#[cfg(feature = "tls")]
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// The certificate authorities; the operating system's if none is set.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    #[cfg(feature = "tls")]
    pub(crate) root: Option<Vec<u8>>,
}

#[cfg(not(feature = "tls"))]
impl Trust {
    #[expect(clippy::unused_self, reason = "there is no TLS")]
    pub(super) fn client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        Client::open(info)
    }
}

#[cfg(feature = "tls")]
impl Trust {
    /// Checks the certificates. `is_used`: any connection of the store uses TLS.
    pub(super) fn check(&self, is_used: bool) -> Result<(), Error> {
        // without a crypto provider, rustls would panic when the store connects
        if is_used && std::panic::catch_unwind(rustls::ClientConfig::builder).is_err() {
            let message = "rustls has no crypto provider, which TLS needs; call, for example, \
                           rustls::crypto::ring::default_provider().install_default() before the \
                           store is built";
            return Err(Error::configuration(message));
        }
        if self.root.is_some() && !is_used {
            let message =
                "root_certificate() is set, and no connection uses TLS; expected a rediss:// URL";
            return Err(Error::configuration(message));
        }
        if let Some(root) = &self.root {
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(root).collect();
            if !found.is_ok_and(|found| !found.is_empty()) {
                let message =
                    "root_certificate() holds no certificate; expected one or more in PEM";
                return Err(Error::configuration(message));
            }
        }
        Ok(())
    }

    pub(super) fn client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(info, certificates),
            None => Client::open(info),
        }
    }

    pub(super) fn certificates(&self) -> Option<redis::TlsCertificates> {
        let root = self.root.clone()?;
        Some(redis::TlsCertificates {
            client_tls: None,
            root_cert: Some(root),
        })
    }
}
