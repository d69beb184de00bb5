//! Assertions of a file.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;

use super::{context::AssertionContext, jwt, source::AssertionSource, text::Assertion};
use crate::{Error, SecretString, secret_file::SecretFile, version::Version};

/// The content of the file, for errors.
const WHAT: &str = "assertion";

/// An assertion in a file that another program replaces before it expires: a projected token of
/// Kubernetes, the file of `AZURE_FEDERATED_TOKEN_FILE`.
///
/// The file is read anew at each attempt of a token request. It holds one signed JWT in its compact
/// form ([RFC 7515 §3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)), of at most 64 KiB, and
/// may end with a line break. [`any_text`](Self::any_text) permits another text. The rules about
/// reads and permissions are those of [`ClientSecret::from_file`](crate::ClientSecret::from_file).
///
/// ```
/// use auth_core::{AssertionFile, ClientAuthentication};
///
/// # let file = std::env::temp_dir().join("auth-core-doc-assertion");
/// # std::fs::write(&file, "e30.e30.c2ln\n")?;
/// let token = AssertionFile::new(file)?;
/// let authentication = ClientAuthentication::client_assertion(token);
/// assert!(AssertionFile::new("/no/such/file").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AssertionFile {
    file: Arc<SecretFile>,
    is_jwt: bool,
}

impl AssertionFile {
    /// Reads the file for the first time, and checks it.
    ///
    /// # Errors
    /// If the file cannot be read, is not a regular file, is empty, larger than 64 KiB or no JWT. At
    /// a token request each of these, and a JWT that has expired, is a transient error: the next token
    /// request reads the file again.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let file = Self {
            file: SecretFile::of(path),
            is_jwt: true,
        };
        file.checked(file.file.read_here(WHAT)?)?;
        Ok(file)
    }

    /// Reads a file whose text need not be a JWT: an opaque token, a SAML assertion in base64url.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), or if the text holds something else than visible ASCII characters.
    pub fn any_text(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let file = Self {
            file: SecretFile::of(path),
            is_jwt: false,
        };
        file.checked(file.file.read_here(WHAT)?)?;
        Ok(file)
    }

    fn checked(&self, text: SecretString) -> Result<Assertion, Error> {
        let invalid = |fault: &str| self.file.invalid(WHAT, fault);
        if self.is_jwt && jwt::claims(text.expose()).is_none() {
            let found = jwt::what_it_is_instead(text.expose());
            return Err(invalid(&format!(
                "holds {found} in place of a signed JWT in compact form, three parts in base64url between \
                 dots"
            )));
        }
        let version = Version::of(text.expose()).number();
        let assertion = Assertion::new(text).map_err(|error| {
            invalid("holds another character than visible ASCII").with_source(error)
        })?;
        Ok(assertion.with_version(version))
    }

    async fn read(&self) -> Result<Assertion, Error> {
        // the file was readable at construction, and may be replaced at this moment
        let text = self.file.read(WHAT).await.map_err(Error::transient)?;
        self.checked(text).map_err(Error::transient)
    }
}

#[async_trait]
impl AssertionSource for AssertionFile {
    async fn assertion(&self, context: &AssertionContext) -> Result<Assertion, Error> {
        let assertion = self.read().await?;
        let claims = self.is_jwt.then(|| jwt::claims(assertion.expose()));
        let expires_at = claims.flatten().and_then(|claims| claims.expires_at);
        match expires_at {
            Some(end) if end <= context.time() => {
                let past = (context.time() - end).as_secs();
                let fault = format!(
                    "is a JWT that expired {past} s ago; check the program that replaces the file, and \
                     the clock of this machine"
                );
                Err(self.file.invalid(WHAT, &fault).transient())
            }
            _ => Ok(assertion),
        }
    }

    async fn version(&self) -> Option<u64> {
        self.read().await.ok()?.version()
    }
}
