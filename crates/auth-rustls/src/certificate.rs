//! A client certificate, whose files are read again when they change.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use auth_core::{Error, shared_store::internal::SecretFile};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rustls::{
    ClientConfig, ConfigBuilder, SignatureScheme,
    client::{ResolvesClientCert, Resumption, WantsClientCert},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};
use tokio::{runtime::Handle, task::AbortHandle, time::Instant};

use crate::{events, pem::certified_key};

/// The minimum time between two looks at the files.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How long a look that has not ended keeps the next one from beginning. A look never ends in a runtime
/// that is no longer driven.
const LOOK_PATIENCE: Duration = Duration::from_secs(10);

/// The certificate of a client and its key, for a configuration of rustls.
///
/// A certificate of [files](Self::from_files) is read again in the background when a connection is
/// opened, at most once a second. The connection itself presents the certificate that was read last:
/// the first connection after a replacement presents the old certificate, and those a moment later the
/// new one. Connections that are open keep theirs. If the files cannot be used, a warning is logged and
/// the last certificate stays in use: half a replacement is not used.
///
/// Clones share the certificate.
///
/// ```
/// use auth_rustls::{ClientCertificate, auth_core::Error, rustls::{ClientConfig, RootCertStore}};
///
/// # fn example(roots: RootCertStore) -> Result<(), Error> {
/// let certificate = ClientCertificate::from_files("/run/tls/tls.crt", "/run/tls/tls.key")?;
/// let config = certificate.client_config(ClientConfig::builder().with_root_certificates(roots));
/// // for TokenEndpointBuilder::certificate_thumbprint
/// let thumbprint = move || certificate.thumbprint();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientCertificate(Arc<Inner>);

struct Inner {
    files: Option<Files>,
    current: RwLock<Current>,
    last_look: Mutex<Option<Look>>,
}

/// A look at the files, in a task of the runtime in which a connection was opened.
struct Look {
    began: Instant,
    task: AbortHandle,
}

struct Files {
    certificates: Arc<SecretFile>,
    key: Arc<SecretFile>,
}

#[derive(Clone)]
struct Current {
    certified: Arc<CertifiedKey>,
    thumbprint: Arc<str>,
}

impl ClientCertificate {
    /// Reads a certificate, with those of its chain after it, and its key from two files in PEM. They are
    /// read again when they change.
    ///
    /// # Errors
    /// If a file cannot be read, or is larger than 64 KiB; if it holds something else, such as a key
    /// where a certificate is expected, an encrypted key or two keys; if the key is not that of the first
    /// certificate; or if rustls has no crypto provider.
    pub fn from_files(
        certificates: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Result<Self, Error> {
        let files = Files {
            certificates: SecretFile::of(certificates),
            key: SecretFile::of(key),
        };
        let certificates = files.certificates.read_here(CERTIFICATE)?;
        let key = files.key.read_here(KEY)?;
        let current = files.current(certificates.expose(), key.expose())?;
        Ok(Self::new(Some(files), current))
    }

    /// Reads a certificate, with those of its chain after it, and its key from texts in PEM.
    ///
    /// # Errors
    /// Those of [`from_files`](Self::from_files) about the texts. No error shows the key.
    pub fn from_pem(certificates: &str, key: &str) -> Result<Self, Error> {
        let places = ["client certificate", "key of the client certificate"];
        let current = Current::new(certified_key(certificates, key, places)?)?;
        Ok(Self::new(None, current))
    }

    fn new(files: Option<Files>, current: Current) -> Self {
        Self(Arc::new(Inner {
            files,
            current: RwLock::new(current),
            last_look: Mutex::new(None),
        }))
    }

    /// Returns a configuration that presents this certificate.
    ///
    /// It does not resume sessions. A resumed session keeps the certificate of its first connection, so
    /// that a server would see the old certificate for hours after a replacement.
    #[must_use]
    pub fn client_config(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> ClientConfig {
        let mut config = builder.with_client_cert_resolver(Arc::new(self.clone()));
        config.resumption = Resumption::disabled();
        config
    }

    /// Returns the thumbprint of the certificate that new connections present: `x5t#S256`, the SHA-256
    /// hash of its DER encoding in base64url without padding
    /// ([RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.current().thumbprint.to_string()
    }

    /// Reads the files again. Returns whether the certificate, or another one of its chain, was replaced.
    /// A connection that is opened does this by itself. `false` for a certificate of texts.
    ///
    /// # Errors
    /// Those of [`from_files`](Self::from_files). The last certificate stays in use.
    pub async fn reload(&self) -> Result<bool, Error> {
        let Some(files) = &self.0.files else {
            return Ok(false);
        };
        let certificates = files.certificates.read(CERTIFICATE).await?;
        let key = files.key.read(KEY).await?;
        let read = files.current(certificates.expose(), key.expose())?;
        let mut current = self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // the whole chain: an intermediate certificate may be added to that of the client
        let is_other = current.certified.cert != read.certified.cert;
        if is_other {
            let thumbprint = Arc::clone(&read.thumbprint);
            *current = read;
            drop(current);
            events::certificate_replaced(&thumbprint);
        }
        Ok(is_other)
    }

    fn current(&self) -> Current {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again in the background, unless that happened within the last second.
    fn look(&self) {
        if self.0.files.is_none() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let now = Instant::now();
        let last_look = self.0.last_look.lock();
        let mut last_look = last_look.unwrap_or_else(PoisonError::into_inner);
        if last_look.as_ref().is_some_and(|look| !look.is_over(now)) {
            return;
        }
        let certificate = self.clone();
        let task = runtime.spawn(async move {
            if let Err(error) = certificate.reload().await {
                events::certificate_not_replaced(&error);
            }
        });
        let look = Look {
            began: now,
            task: task.abort_handle(),
        };
        if let Some(last) = last_look.replace(look) {
            last.task.abort();
        }
    }
}

impl Look {
    /// Returns whether the next look may begin.
    fn is_over(&self, now: Instant) -> bool {
        let interval = match self.task.is_finished() {
            true => LOOK_INTERVAL,
            false => LOOK_PATIENCE,
        };
        now.duration_since(self.began) >= interval
    }
}

const CERTIFICATE: &str = "client certificate in PEM";
const KEY: &str = "key of the client certificate in PEM";

impl Files {
    fn current(&self, certificates: &str, key: &str) -> Result<Current, Error> {
        let place = |file: &SecretFile| format!("file {}", file.shown());
        let places = [place(&self.certificates), place(&self.key)];
        let [certificates_place, key_place] = &places;
        let places = [certificates_place.as_str(), key_place];
        Current::new(certified_key(certificates, key, places)?)
    }
}

impl Current {
    fn new(certified: CertifiedKey) -> Result<Self, Error> {
        let own = certified.end_entity_cert();
        let own = own.map_err(|error| {
            Error::configuration("client certificate: expected one, got none").with_source(error)
        })?;
        let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(own));
        Ok(Self {
            thumbprint: thumbprint.into(),
            certified: Arc::new(certified),
        })
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.look();
        Some(self.current().certified)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("thumbprint", &self.current().thumbprint)
            .finish_non_exhaustive()
    }
}
