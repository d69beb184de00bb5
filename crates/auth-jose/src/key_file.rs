//! Keys in files.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use auth_core::{
    Error,
    shared_store::internal::{SecretFile, transient},
};

use crate::{algorithm::Algorithm, signer::Signer as _, signing_key::SigningKey, version::version};

/// The content of the file, for errors.
const WHAT: &str = "signing key in PEM or as a JWK";

/// A key in a file that is read again when it changes.
///
/// The file holds one private key, as PEM ([`SigningKey::from_pem`]) or as a JWK
/// ([`SigningKey::from_jwk`]). It is read for each assertion, and parsed if its content has changed. A
/// key that is replaced therefore needs no restart. After a denial the file is read once a second while a
/// token is needed, and a changed key ends the backoff.
///
/// The rules about reads and permissions are those of
/// [`ClientSecret::from_file`](auth_core::ClientSecret::from_file): a regular file of at most 64 KiB, one
/// warning (`auth_core.secret_file_permissions`) if other users may read or write it, and a read that
/// hangs holds one thread.
///
/// ```
/// use auth_jose::{Algorithm, KeyFile, Signer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("auth-jose-doc-key-{}", std::process::id()));
/// # std::fs::write(&path, include_str!("../tests/keys/p256.pem"))?;
/// let file = KeyFile::new(&path)?.with_key_id_from_thumbprint()?;
/// let key = file.current().await?;
/// assert_eq!(key.algorithm(), Algorithm::Es256);
/// assert!(KeyFile::new("/no/such/key.pem").is_err());
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeyFile {
    file: Arc<SecretFile>,
    settings: Settings,
    /// The key that was read last. Clones with the same settings share it.
    last: Arc<Mutex<Versioned>>,
}

#[derive(Clone, Default)]
struct Settings {
    algorithm: Option<Algorithm>,
    key_id: KeyId,
    has_certificates: bool,
}

#[derive(Clone, Default)]
enum KeyId {
    /// That of the key.
    #[default]
    Own,
    Text(Arc<str>),
    Thumbprint,
}

/// A key, and the version of the text that it was read from.
#[derive(Clone)]
struct Versioned {
    version: u64,
    key: SigningKey,
}

impl KeyFile {
    /// Reads the file for the first time, on the caller's thread.
    ///
    /// # Errors
    /// If the file cannot be read, is not a regular file, is empty, larger than 64 KiB or not UTF-8, and as
    /// for [`SigningKey::from_pem`] and [`SigningKey::from_jwk`]. When the file is read later, each of
    /// these is a transient error, because the file may be in rotation: the next token request reads it
    /// again.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::read_first(SecretFile::of(path), Settings::default())
    }

    /// Sets the algorithm: [`SigningKey::with_algorithm`].
    ///
    /// # Errors
    /// If the key does not fit the algorithm, or the file cannot be read again.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Result<Self, Error> {
        let settings = Settings {
            algorithm: Some(algorithm),
            ..self.settings
        };
        Self::read_first(self.file, settings)
    }

    /// Sets the key id of whatever key the file holds. Default: `kid` of a JWK, otherwise none. A key that
    /// is replaced needs another id at most servers: see
    /// [`with_key_id_from_thumbprint`](Self::with_key_id_from_thumbprint).
    ///
    /// # Errors
    /// As for [`SigningKey::with_key_id`], or if the file cannot be read again.
    pub fn with_key_id(self, key_id: &str) -> Result<Self, Error> {
        let settings = Settings {
            key_id: KeyId::Text(key_id.into()),
            ..self.settings
        };
        Self::read_first(self.file, settings)
    }

    /// Sets the thumbprint of the current key as the key id: [`SigningKey::with_key_id_from_thumbprint`].
    ///
    /// # Errors
    /// If the key is symmetric, or the file cannot be read again.
    pub fn with_key_id_from_thumbprint(self) -> Result<Self, Error> {
        let settings = Settings {
            key_id: KeyId::Thumbprint,
            ..self.settings
        };
        Self::read_first(self.file, settings)
    }

    /// Reads the certificate of the key from the same file, in PEM beside the key:
    /// [`SigningKey::with_certificate_pem`].
    ///
    /// # Errors
    /// If the file holds no certificate of the key, or cannot be read again.
    pub fn with_certificate_of_file(self) -> Result<Self, Error> {
        let settings = Settings {
            has_certificates: true,
            ..self.settings
        };
        Self::read_first(self.file, settings)
    }

    /// Reads the file, and returns its key.
    ///
    /// # Errors
    /// As for [`new`](Self::new); each is transient.
    pub async fn current(&self) -> Result<SigningKey, Error> {
        Ok(self.versioned().await?.key)
    }

    /// Returns the path of the file, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the key that was read last.
    pub(crate) fn last(&self) -> SigningKey {
        self.lock().key.clone()
    }

    /// Reads the file, and returns its key and the version of its text.
    pub(crate) async fn current_with_version(&self) -> Result<(SigningKey, u64), Error> {
        let Versioned { version, key } = self.versioned().await?;
        Ok((key, version))
    }

    async fn versioned(&self) -> Result<Versioned, Error> {
        let text = self.file.read(WHAT).await.map_err(transient)?;
        let last = self.lock().clone();
        if last.version == version(text.expose()) {
            return Ok(last);
        }
        let changed = read(&self.file, &self.settings, text.expose()).map_err(transient)?;
        *self.lock() = changed.clone();
        Ok(changed)
    }

    fn read_first(file: Arc<SecretFile>, settings: Settings) -> Result<Self, Error> {
        let first = read(&file, &settings, file.read_here(WHAT)?.expose())?;
        let last = Arc::new(Mutex::new(first));
        Ok(Self {
            file,
            settings,
            last,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Versioned> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a key from the text of the file.
fn read(file: &SecretFile, settings: &Settings, text: &str) -> Result<Versioned, Error> {
    let key = parse(settings, text).map_err(|error| {
        let path = file.shown();
        Error::configuration(format!("file {path}: {error}"))
    })?;
    let version = version(text);
    Ok(Versioned { version, key })
}

fn parse(settings: &Settings, text: &str) -> Result<SigningKey, Error> {
    let is_json = text.trim_start().starts_with('{');
    let mut key = if is_json {
        SigningKey::from_jwk(text)?
    } else {
        SigningKey::from_pem(text)?
    };
    if let Some(algorithm) = settings.algorithm {
        key = key.with_algorithm(algorithm)?;
    }
    match &settings.key_id {
        KeyId::Own => {}
        KeyId::Text(key_id) => key = key.with_key_id(key_id)?,
        KeyId::Thumbprint => key = key.with_key_id_from_thumbprint()?,
    }
    if settings.has_certificates {
        key = key.with_certificate_pem(text)?;
    }
    Ok(key)
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.last();
        f.debug_struct("KeyFile")
            .field("path", &self.path())
            .field("algorithm", &key.algorithm())
            .field("key_id", &key.key_id())
            .finish_non_exhaustive()
    }
}
