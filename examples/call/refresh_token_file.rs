//! The refresh token of `--subject-token-file`.

use std::{fs, io::Write, path::PathBuf};

use auth_core::{Error, ErrorKind, RefreshTokenStore, SecretString, async_trait};

use crate::text::shown_path;

/// A file with a refresh token. A new one replaces it by a rename, so that a crash leaves a whole file.
#[derive(Debug)]
pub(crate) struct RefreshTokenFile(pub(crate) PathBuf);

impl RefreshTokenFile {
    fn failed(&self, what: &str, error: std::io::Error) -> Error {
        let path = shown_path(&self.0);
        Error::new(ErrorKind::Configuration, format!("file {path}: {what}")).with_source(error)
    }
}

#[async_trait]
impl RefreshTokenStore for RefreshTokenFile {
    async fn load(&self) -> Result<SecretString, Error> {
        let text = fs::read_to_string(&self.0);
        let text = text.map_err(|error| {
            self.failed("expected the refresh token, but it cannot be read", error)
        })?;
        Ok(SecretString::from(text.trim_end()))
    }

    async fn save(&self, token: &SecretString) -> Result<(), Error> {
        let next = self.0.with_extension("next");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&next).and_then(|mut file| {
            file.write_all(token.expose().as_bytes())?;
            file.sync_all()?;
            fs::rename(&next, &self.0)
        });
        written.map_err(|error| self.failed("cannot save the new refresh token", error))
    }
}
