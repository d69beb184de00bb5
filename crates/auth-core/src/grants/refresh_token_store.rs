//! The interface of the place that keeps a refresh token.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{Error, SecretString};

/// Keeps the refresh token of one user: a file, a row of a database, the keyring of a machine.
///
/// A panic of either method is an error, and both are bounded in time, by the attempt and 20 s.
///
/// ```
/// use std::{fs, io::Write, path::PathBuf};
/// use auth_core::{Error, ErrorKind, RefreshTokenStore, SecretString, async_trait};
///
/// /// A file that only this user can read: on Unix it has mode 0600.
/// #[derive(Debug)]
/// struct TokenFile(PathBuf);
///
/// #[async_trait]
/// impl RefreshTokenStore for TokenFile {
///     async fn load(&self) -> Result<SecretString, Error> {
///         let failed = |error| Error::new(ErrorKind::Unavailable, "cannot read the file").with_source(error);
///         let text = fs::read_to_string(&self.0).map_err(failed)?;
///         // an editor ends the file with a line break
///         Ok(SecretString::from(text.trim_end()))
///     }
///
///     async fn save(&self, token: &SecretString) -> Result<(), Error> {
///         // a crash leaves either the old file or the new one, and no part of one
///         let next = self.0.with_extension("next");
///         let mut options = fs::OpenOptions::new();
///         options.write(true).create(true).truncate(true);
///         #[cfg(unix)]
///         std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
///         let written = options.open(&next).and_then(|mut file| {
///             file.write_all(token.expose().as_bytes())?;
///             file.sync_all()?;
///             fs::rename(&next, &self.0)
///         });
///         let failed = |error| Error::new(ErrorKind::Unavailable, "cannot write the file").with_source(error);
///         written.map_err(failed)
///     }
/// }
/// # #[cfg(unix)]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::os::unix::fs::PermissionsExt;
/// # let path = std::env::temp_dir().join(format!("auth-core-doc-refresh-{}", std::process::id()));
/// # let store = TokenFile(path.clone());
/// # store.save(&SecretString::from("first")).await?;
/// # assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
/// # fs::write(&path, "s3cr3t\r\n")?;
/// # assert_eq!(store.load().await?.expose(), "s3cr3t");
/// # fs::remove_file(path)?;
/// # Ok(())
/// # }
/// # #[cfg(not(unix))]
/// # fn main() {}
/// ```
#[async_trait]
pub trait RefreshTokenStore: fmt::Debug + Send + Sync + 'static {
    /// Returns the refresh token that was saved last, or the one that the user's authorization
    /// brought. It is called before each token request: the user may have authorized the client again,
    /// and another process may have saved a newer token.
    ///
    /// # Errors
    /// If there is no refresh token. The token request fails with this error, and the
    /// [kind](crate::ErrorKind) of the error decides how the cache backs off.
    async fn load(&self) -> Result<SecretString, Error>;

    /// Saves a new refresh token in the place of the old one, durably: the authorization server may
    /// accept the old one no more.
    ///
    /// # Errors
    /// If the token may not have been saved. It is kept in memory, and the next attempt saves it.
    async fn save(&self, token: &SecretString) -> Result<(), Error>;
}

#[async_trait]
impl<S: RefreshTokenStore + ?Sized> RefreshTokenStore for Arc<S> {
    async fn load(&self) -> Result<SecretString, Error> {
        (**self).load().await
    }

    async fn save(&self, token: &SecretString) -> Result<(), Error> {
        (**self).save(token).await
    }
}
