//! The one error type: opaque, cheap to clone, safe to print.

mod kind;
mod log_text;

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use http::StatusCode;

pub use kind::ErrorKind;
pub(crate) use log_text::{clean, without_secrets};

/// Any error, boxed: what a transport or a source failed with.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why there is no token.
///
/// One failed token request is shared by everybody who waited for it, so this is a handle that
/// clones cheaply. It never holds a response body or a secret: `Display` and `Debug` are safe to
/// log.
#[derive(Clone)]
pub struct Error {
    details: Arc<Details>,
    retry_after: Option<Duration>,
}

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    transient: bool,
    message: Cow<'static, str>,
    status: Option<StatusCode>,
    answer: Option<ErrorResponse>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The members of an error response, RFC 6749 §5.2, already cleaned.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorResponse {
    pub(crate) error: String,
    pub(crate) error_description: Option<String>,
    pub(crate) error_uri: Option<String>,
}

impl Error {
    /// An error of `kind`; `message` says what happened, in words that may be logged.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            details: Arc::new(Details {
                kind,
                transient: kind.is_transient(),
                message: message.into(),
                status: None,
                answer: None,
                source: None,
            }),
            retry_after: None,
        }
    }

    /// An [`ErrorKind::Configuration`] error.
    pub fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// An [`ErrorKind::Connection`] error: what a transport failed with before there was an answer.
    pub fn connection(source: impl Into<BoxError>) -> Self {
        Self::new(ErrorKind::Connection, "the token request got no answer").with_source(source)
    }

    /// Sets the cause. Other handles of the same error keep theirs.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        self.change(|details| details.source = Some(source.into().into()))
    }

    /// Adds the wait that the other side asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says where it happened.
    pub(crate) fn at(self, place: &str) -> Self {
        self.change(|details| details.message = format!("{place}: {}", details.message).into())
    }

    /// The same failure, of a kind that may pass by itself.
    pub(crate) fn passing(self) -> Self {
        self.change(|details| details.transient = true)
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        self.change(|details| details.status = Some(status))
    }

    pub(crate) fn with_answer(self, answer: ErrorResponse) -> Self {
        self.change(|details| details.answer = Some(answer))
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.details.kind
    }

    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.details.transient
    }

    /// How long until a token is asked for again; until then callers without a usable token get
    /// this error at once.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The status of the token endpoint's answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.details.status
    }

    /// `error` of RFC 6749 §5.2, such as `invalid_client`.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.details.answer.as_ref().map(|a| a.error.as_str())
    }

    /// `error_description` of RFC 6749 §5.2, without control characters, cut at 256 characters.
    #[must_use]
    pub fn error_description(&self) -> Option<&str> {
        self.details.answer.as_ref()?.error_description.as_deref()
    }

    /// `error_uri` of RFC 6749 §5.2, cleaned like the description.
    #[must_use]
    pub fn error_uri(&self) -> Option<&str> {
        self.details.answer.as_ref()?.error_uri.as_deref()
    }

    /// Changes this handle; others of the same error stay as they are.
    fn change(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.details));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.details;
        f.write_str(&details.message)?;
        if let Some(answer) = &details.answer {
            write!(f, ": {}", answer.error)?;
            if let Some(description) = &answer.error_description {
                write!(f, " ({description})")?;
            }
            if let Some(uri) = &answer.error_uri {
                write!(f, ", see {uri}")?;
            }
        }
        if let Some(wait) = self.retry_after {
            write!(f, "; next attempt in {:.1} s", wait.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.details;
        f.debug_struct("Error")
            .field("kind", &details.kind)
            .field("message", &details.message)
            .field("status", &details.status)
            .field("answer", &details.answer)
            .field("retry_after", &self.retry_after)
            .field("source", &details.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.details.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_says_what_was_refused_and_when_to_try_again() {
        let error = Error::new(ErrorKind::Refused, "the token request was refused")
            .with_answer(ErrorResponse {
                error: "invalid_client".into(),
                error_description: Some("no such client".into()),
                error_uri: Some("https://as.example/e/1".into()),
            })
            .with_retry_after(Duration::from_millis(29_960));
        assert_eq!(
            error.to_string(),
            "the token request was refused: invalid_client (no such client), \
             see https://as.example/e/1; next attempt in 30.0 s"
        );
        assert!(!error.is_transient());
    }

    #[test]
    fn a_cause_set_on_one_handle_leaves_the_others_as_they_are() {
        let shared = Error::connection("first");
        let other = shared.clone().with_source("second");
        assert_eq!(other.kind(), shared.kind());
        assert_eq!(other.source().unwrap().to_string(), "second");
        assert_eq!(shared.source().unwrap().to_string(), "first");
    }
}
