//! A client's secret: a value, or a file or a function that is read at each token request.

use std::{
    env, fmt,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::{
    Error, SecretString, credential_syntax::check_credential, secret_file::SecretFile,
    version::Version,
};

/// The content of a secret's file, for errors.
const WHAT: &str = "client secret";

/// A client's secret: a value, or a file or a function that is read at each token request.
///
/// # Characters
/// A secret consists of visible characters and spaces. [RFC 6749
/// A.2](https://www.rfc-editor.org/rfc/rfc6749#appendix-A.2) permits those of ASCII; other visible
/// characters are accepted as well, because some servers issue them. These are errors:
///
/// - a control character, such as a line break, a tab or a NUL
/// - a byte order mark, a zero-width or bidirectional character, a variation selector and other
///   characters that show nothing
/// - a blank at either end, and a blank other than the space anywhere
/// - an empty text
///
/// The error names the place and the number of the character, never the secret.
/// [`from_env`](Self::from_env) and [`from_file`](Self::from_file) return it. A secret that is given
/// as a text is checked when the client is built, and one of a function at each token request.
///
/// ```
/// use auth_core::ClientSecret;
///
/// let fixed = ClientSecret::from("s3cr3t");
/// assert!(ClientSecret::from_env("NO_SUCH_VARIABLE").is_err());
/// assert!(ClientSecret::from_file("/no/such/file").is_err());
/// ```
#[derive(Clone)]
pub struct ClientSecret(SecretSource);

#[derive(Clone)]
enum SecretSource {
    Value(SecretString),
    File(Arc<SecretFile>),
    Function(Arc<Function>),
    Rotating(Arc<Rotating>),
}

type Function = dyn Fn() -> SecretFuture + Send + Sync;
type SecretFuture = Pin<Box<dyn Future<Output = Result<SecretString, Error>> + Send>>;

/// Two secrets, one of which works.
struct Rotating {
    next: ClientSecret,
    current: ClientSecret,
    /// Whether `current` worked last.
    current_works: AtomicBool,
}

/// A secret to try. A client has several while its secret is rotated.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) secret: SecretString,
    /// The rotation it is from, and whether it is the current one.
    rotation: Option<(Arc<Rotating>, bool)>,
}

impl Candidate {
    pub(crate) fn version(&self) -> Version {
        Version::of(self.secret.expose())
    }

    /// Records that the authorization server accepted the secret. It is tried first from now on.
    pub(crate) fn works(&self) {
        if let Some((rotation, is_current)) = &self.rotation {
            rotation.current_works.store(*is_current, Relaxed);
        }
    }
}

impl ClientSecret {
    /// Reads the secret from an environment variable, in this call only.
    ///
    /// # Errors
    /// If the variable is not set, empty, or not UTF-8, or contains a character that no secret has.
    pub fn from_env(name: &str) -> Result<Self, Error> {
        let invalid = |what: &str| {
            Error::configuration(format!(
                "environment variable {name}: expected the client secret, but it is {what}"
            ))
        };
        match env::var(name) {
            Ok(value) if value.is_empty() => Err(invalid("empty")),
            Ok(value) => {
                let value = SecretString::from(value);
                let place = format!("client secret in environment variable {name}");
                check_credential(&place, value.expose())?;
                Ok(Self::from(value))
            }
            Err(env::VarError::NotPresent) => Err(invalid("not set")),
            Err(env::VarError::NotUnicode(_)) => Err(invalid("not UTF-8")),
        }
    }

    /// Reads the secret from a file, again at each token request. A rotated secret therefore needs
    /// no restart. After a denial the file is read once a second while a token is needed, and a changed
    /// secret ends the backoff. One line break at the end is not part of the secret.
    ///
    /// The file is a regular file of at most 64 KiB, or a link to one. On Unix a file that users other
    /// than its owner and its group may read or write draws one warning
    /// (`auth_core.secret_file_permissions`). A file on a read-only mount draws none (on Linux), nor does
    /// one in a volume of Kubernetes, which is readable to all by default (`defaultMode`): such a volume
    /// is recognized by its link `..data`. A file in it that others may write draws the warning.
    ///
    /// This call reads the file on its own thread, and blocks until it is read. A token request
    /// reads it on a thread made for that. At most one such read of a path is in flight in the
    /// process, and all token requests that need the secret wait for it. A read that hangs, as on a
    /// network mount without a server, therefore holds one thread, and each token request fails
    /// after its attempt timeout. At most 64 reads of all paths are in flight; further ones wait
    /// their turn.
    ///
    /// # Errors
    /// If the file cannot be read now, is not a regular file, is empty, is larger than 64 KiB, or is
    /// not UTF-8, or if the secret contains a character that no secret has. At a token request each
    /// of these is a transient error, because the file may be in rotation: the next token request
    /// reads it again.
    ///
    /// A path that may be a secret is not shown: one that begins with a name that the working directory
    /// does not have, without an extension.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let file = SecretFile::of(path);
        checked_file(&file, file.read_here(WHAT)?)?;
        Ok(Self(SecretSource::File(file)))
    }

    /// Calls a function at each token request, and again at each of its attempts: for a vault.
    ///
    /// A function that takes longer than the attempt, or that panics, fails the token request, and the
    /// error names the client secret. While a denial backs off and a token is needed, the function is
    /// called once a second, and a changed secret ends the backoff.
    ///
    /// ```
    /// use auth_core::{ClientSecret, Error, SecretString};
    ///
    /// async fn read_from_vault(path: &str) -> Result<SecretString, Error> {
    ///     # let _ = path;
    ///     Ok(SecretString::from("s3cr3t"))
    /// }
    ///
    /// let secret = ClientSecret::from_fn(|| read_from_vault("clients/orders"));
    /// ```
    pub fn from_fn<F, Fut>(read: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<SecretString, Error>> + Send + 'static,
    {
        Self(SecretSource::Function(Arc::new(move || Box::pin(read()))))
    }

    /// Two secrets, for a rotation without a gap: the one that will be valid next, and the one that
    /// is valid now.
    ///
    /// A token request uses `next`. If the authorization server denies the client (`invalid_client`,
    /// `unauthorized_client`, or a 401 that does not concern the token request alone), the token request
    /// is repeated once, at once, with `current`. The secret that works is used first from then on. If
    /// one of both cannot be read, the other one is used alone.
    ///
    /// ```
    /// use auth_core::ClientSecret;
    ///
    /// # let directory = std::env::temp_dir();
    /// # let next = directory.join("auth-core-doc-next");
    /// # std::fs::write(&next, "n3xt")?;
    /// let secret = ClientSecret::rotating(ClientSecret::from_file(next)?, "s3cr3t");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rotating(next: impl Into<Self>, current: impl Into<Self>) -> Self {
        Self(SecretSource::Rotating(Arc::new(Rotating {
            next: next.into(),
            current: current.into(),
            current_works: AtomicBool::new(false),
        })))
    }

    /// Returns the secrets to try, the most likely one first. There is at least one.
    pub(crate) async fn candidates(&self) -> Result<Vec<Candidate>, Error> {
        let alone = |secret| {
            vec![Candidate {
                secret,
                rotation: None,
            }]
        };
        match &self.0 {
            SecretSource::Value(value) => Ok(alone(value.clone())),
            // the file was readable at construction, and may be in rotation now
            SecretSource::File(file) => {
                let text = file.read(WHAT).await.map_err(Error::transient)?;
                checked_file(file, text)
                    .map(alone)
                    .map_err(Error::transient)
            }
            SecretSource::Function(read) => {
                let secret = read().await?;
                check_credential("client secret of from_fn()", secret.expose())?;
                if secret.expose().is_empty() {
                    return Err(empty());
                }
                Ok(alone(secret))
            }
            SecretSource::Rotating(rotating) => Box::pin(rotation(rotating)).await,
        }
    }

    /// Returns whether the secret never changes.
    pub(crate) fn is_fixed(&self) -> bool {
        match &self.0 {
            SecretSource::Value(_) => true,
            SecretSource::File(_) | SecretSource::Function(_) => false,
            SecretSource::Rotating(rotating) => {
                rotating.next.is_fixed() && rotating.current.is_fixed()
            }
        }
    }

    /// Checks the secret, if it is known already. `place` begins the error's text.
    pub(crate) fn check(&self, place: &str) -> Result<(), Error> {
        match &self.0 {
            SecretSource::Value(value) if value.expose().is_empty() => Err(empty()),
            SecretSource::Value(value) => check_credential(place, value.expose()),
            SecretSource::File(_) | SecretSource::Function(_) => Ok(()),
            SecretSource::Rotating(rotating) => {
                rotating.next.check(&format!("{place}, the next one"))?;
                rotating.current.check(&format!("{place}, the current one"))
            }
        }
    }
}

/// Returns the secret that the next token request would try first. For `auth-jose`.
///
/// # Errors
/// If there is none.
pub async fn current_secret(secret: &ClientSecret) -> Result<SecretString, Error> {
    let candidates = secret.candidates().await?;
    let first = candidates.into_iter().next();
    first.map(|first| first.secret).ok_or_else(empty)
}

/// Checks a secret that is known already. `place` begins the error's text. For `auth-jose`.
///
/// # Errors
/// If it is empty, or contains a character that no secret has.
pub fn check_secret(secret: &ClientSecret, place: &str) -> Result<(), Error> {
    secret.check(place)
}

/// Returns whether there are two secrets, one of which works. For `auth-jose`.
#[must_use]
pub fn is_rotating(secret: &ClientSecret) -> bool {
    matches!(secret.0, SecretSource::Rotating(_))
}

fn empty() -> Error {
    Error::configuration("client secret: expected a secret, got an empty text")
}

/// Checks the text of a secret's file.
fn checked_file(file: &SecretFile, text: SecretString) -> Result<SecretString, Error> {
    let place = format!("client secret in file {}", file.shown());
    check_credential(&place, text.expose())?;
    Ok(text)
}

/// Returns both secrets of a rotation, the one that worked last first.
async fn rotation(rotating: &Arc<Rotating>) -> Result<Vec<Candidate>, Error> {
    let current_works = rotating.current_works.load(Relaxed);
    let mut all: Vec<Candidate> = Vec::new();
    let mut first_error = None;
    for is_current in [current_works, !current_works] {
        let secret = match is_current {
            true => &rotating.current,
            false => &rotating.next,
        };
        match secret.candidates().await {
            Ok(candidates) => {
                for Candidate { secret, .. } in candidates {
                    let is_same = |known: &Candidate| known.secret.expose() == secret.expose();
                    if !all.iter().any(is_same) {
                        let rotation = Some((Arc::clone(rotating), is_current));
                        all.push(Candidate { secret, rotation });
                    }
                }
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    match first_error {
        Some(error) if all.is_empty() => Err(error),
        _ => Ok(all),
    }
}

impl<T: Into<SecretString>> From<T> for ClientSecret {
    fn from(value: T) -> Self {
        Self(SecretSource::Value(value.into()))
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_tuple("ClientSecret");
        match &self.0 {
            SecretSource::Value(value) => shown.field(value),
            SecretSource::File(file) => shown.field(&file.path()),
            SecretSource::Function(_) => shown.field(&"function"),
            SecretSource::Rotating(rotating) => {
                shown.field(&rotating.next).field(&rotating.current)
            }
        }
        .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process};

    use super::*;

    fn temporary(name: &str) -> PathBuf {
        env::temp_dir().join(format!("auth-core-secret-{name}-{}", process::id()))
    }

    async fn first(secret: &ClientSecret) -> Result<String, Error> {
        let candidates = secret.candidates().await?;
        Ok(candidates[0].secret.expose().to_owned())
    }

    #[tokio::test]
    async fn a_file_is_read_again_at_each_token_request() {
        let path = temporary("again");
        fs::write(&path, "first\r\n").unwrap();
        let secret = ClientSecret::from_file(&path).unwrap();
        assert_eq!(first(&secret).await.unwrap(), "first");
        fs::write(&path, "second").unwrap();
        assert_eq!(first(&secret).await.unwrap(), "second");
        fs::remove_file(&path).unwrap();
        let error = first(&secret).await.unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert!(error.is_transient(), "the file may be in rotation");
    }

    #[tokio::test]
    async fn the_secret_of_a_rotation_that_worked_is_tried_first() {
        let secret = ClientSecret::rotating("next", "current");
        let candidates = secret.candidates().await.unwrap();
        let texts = |all: &[Candidate]| -> Vec<_> {
            all.iter().map(|c| c.secret.expose().to_owned()).collect()
        };
        assert_eq!(texts(&candidates), ["next", "current"]);
        candidates[1].works();
        let candidates = secret.candidates().await.unwrap();
        assert_eq!(texts(&candidates), ["current", "next"]);
        candidates[1].works();
        assert_eq!(first(&secret).await.unwrap(), "next");
        let same = ClientSecret::rotating("a", "a").candidates().await.unwrap();
        assert_eq!(texts(&same), ["a"], "a secret is tried once");
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_leaves_the_other_one() {
        let fails = || ClientSecret::from_fn(|| async { Err(Error::configuration("no vault")) });
        let secret = ClientSecret::rotating(fails(), "current");
        assert_eq!(first(&secret).await.unwrap(), "current");
        let secret = ClientSecret::rotating(fails(), fails());
        assert_eq!(first(&secret).await.unwrap_err().to_string(), "no vault");
    }

    #[tokio::test]
    async fn a_secret_of_a_function_is_checked() {
        for (text, told) in [("", "empty"), ("a\n", "line break")] {
            let secret = ClientSecret::from_fn(move || async move { Ok(text.into()) });
            let error = first(&secret).await.unwrap_err().to_string();
            assert!(
                error.contains(told) && error.contains("client secret"),
                "{error}"
            );
        }
    }
}
