//! Which certificates are trusted.

use auth_core::Error;
use redis::{Client, ConnectionInfo, RedisResult};
#[cfg(feature = "tls")]
use rustls::pki_types::{CertificateDer, pem::PemObject};

use crate::address::Address;

/// Certificate authorities, if not the operating system's.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    #[cfg(feature = "tls")]
    pub(crate) root: Option<Vec<u8>>,
}

#[cfg(not(feature = "tls"))]
impl Trust {
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "there is no TLS"
    )]
    pub(super) fn check(&self, _addresses: &[Address]) -> Result<(), Error> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "there is no TLS")]
    pub(super) fn client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        Client::open(info)
    }
}

#[cfg(feature = "tls")]
impl Trust {
    pub(super) fn check(&self, addresses: &[Address]) -> Result<(), Error> {
        let is_tls = addresses.iter().any(Address::is_tls);
        // rustls panics, and later, if it cannot tell which one is meant
        if is_tls && std::panic::catch_unwind(rustls::ClientConfig::builder).is_err() {
            let message = "TLS needs a crypto provider: rustls::crypto::ring::default_provider()\
                           .install_default(), say, before the store is built; there is none";
            return Err(Error::configuration(message));
        }
        if self.root.is_some() && !is_tls {
            let message = "a root certificate is of use for rediss:// URLs; none of those came";
            return Err(Error::configuration(message));
        }
        if let Some(root) = &self.root {
            let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(root).collect();
            if !found.is_ok_and(|found| !found.is_empty()) {
                let message = "a root certificate comes in PEM; what came holds none";
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
