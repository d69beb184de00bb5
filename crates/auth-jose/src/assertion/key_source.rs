//! Where the key of an assertion comes from.

use std::{fmt, sync::Arc};

use auth_core::{ClientSecret, Error, shared_store::internal::current_secret};

use crate::{
    algorithm::Algorithm, key_file::KeyFile, signer::Signer, signing_key::SigningKey,
    version::version,
};

/// The key of an assertion: a [`Signer`], such as a [`SigningKey`], or a [`KeyFile`].
///
/// ```
/// use auth_jose::{Algorithm, KeySource, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let source = KeySource::from(key);
/// # Ok::<(), auth_jose::auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct KeySource(Kind);

#[derive(Clone)]
enum Kind {
    Signer(Arc<dyn Signer>),
    File(KeyFile),
    Secret(ClientSecret, Algorithm),
}

/// A signer, and the version of its key, if the key may change.
pub(super) struct CurrentSigner {
    pub(super) signer: Arc<dyn Signer>,
    pub(super) version: Option<u64>,
}

impl KeySource {
    pub(super) fn of_secret(secret: ClientSecret, algorithm: Algorithm) -> Self {
        Self(Kind::Secret(secret, algorithm))
    }

    /// Returns the key that signs now.
    pub(super) async fn current(&self) -> Result<CurrentSigner, Error> {
        let (signer, version): (Arc<dyn Signer>, _) = match &self.0 {
            Kind::Signer(signer) => (Arc::clone(signer), None),
            Kind::File(file) => {
                let (key, version) = file.current_with_version().await?;
                (Arc::new(key), Some(version))
            }
            Kind::Secret(secret, algorithm) => {
                let secret = current_secret(secret).await?;
                let key = SigningKey::of_client_secret(&secret, *algorithm);
                (Arc::new(key), Some(version(secret.expose())))
            }
        };
        Ok(CurrentSigner { signer, version })
    }

    /// Returns a signer that is known without waiting.
    pub(super) fn known(&self) -> Option<Arc<dyn Signer>> {
        match &self.0 {
            Kind::Signer(signer) => Some(Arc::clone(signer)),
            Kind::File(file) => Some(Arc::new(file.last())),
            Kind::Secret(..) => None,
        }
    }

    /// Returns the secret and the algorithm of `client_secret_jwt`.
    pub(super) fn secret(&self) -> Option<(&ClientSecret, Algorithm)> {
        match &self.0 {
            Kind::Secret(secret, algorithm) => Some((secret, *algorithm)),
            Kind::Signer(_) | Kind::File(_) => None,
        }
    }
}

impl<S: Signer> From<S> for KeySource {
    fn from(signer: S) -> Self {
        Self(Kind::Signer(Arc::new(signer)))
    }
}

impl From<KeyFile> for KeySource {
    fn from(file: KeyFile) -> Self {
        Self(Kind::File(file))
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Signer(signer) => signer.fmt(f),
            Kind::File(file) => file.fmt(f),
            Kind::Secret(secret, algorithm) => f
                .debug_tuple("KeySource")
                .field(secret)
                .field(algorithm)
                .finish(),
        }
    }
}
