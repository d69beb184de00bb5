//! The one error type: opaque, cheap to clone, safe to print.

mod denies_client;
mod find;
mod kind;
mod texts;

use std::{borrow::Cow, error::Error as StdError, fmt, mem, sync::Arc, time::Duration};

use http::StatusCode;

pub use kind::ErrorKind;

use self::texts::{DebugOf, Source, printable_source, without_invisible};

/// Any error, boxed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The error of this crate: why there is no token, or which setting is invalid.
///
/// Every waiter receives the error of one failed token request. Therefore an error is a handle that
/// clones cheaply. It never holds a response body or a secret: `Display` and `Debug` are safe to
/// log. Two errors with the same cause have the same text.
// one word, so that the results of a hit are returned in registers
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    details: Arc<Details>,
    next_attempt: Option<Duration>,
}

#[derive(Clone)]
struct Details {
    kind: ErrorKind,
    transient: bool,
    message: Cow<'static, str>,
    status: Option<StatusCode>,
    response: Option<ErrorResponse>,
    server_retry_after: Option<Duration>,
    source: Option<Source>,
}

/// The members of an error response (RFC 6749 §5.2), already redacted.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorResponse {
    pub(crate) error: Option<String>,
    pub(crate) error_description: Option<String>,
    pub(crate) error_uri: Option<String>,
}

impl Error {
    /// Creates an error of `kind`. `message` says what happened, and is logged. Control characters
    /// and invisible ones are removed from it.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        let message = without_invisible(&message).map_or(message, Cow::Owned);
        Self(Box::new(Parts {
            details: Arc::new(Details {
                kind,
                transient: kind.is_transient(),
                message,
                status: None,
                response: None,
                server_retry_after: None,
                source: None,
            }),
            next_attempt: None,
        }))
    }

    /// Creates an [`ErrorKind::Configuration`] error.
    pub fn configuration(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// Creates an [`ErrorKind::Connection`] error: a transport failed before there was a
    /// response.
    pub fn connection(source: impl Into<BoxError>) -> Self {
        Self::new(
            ErrorKind::Connection,
            "the token request received no response",
        )
        .with_source(source)
    }

    /// Sets the cause. Other handles of the same error are unchanged. If a text of the cause holds
    /// control characters or invisible ones, a copy of its texts without them takes its place.
    #[must_use]
    pub fn with_source(self, source: impl Into<BoxError>) -> Self {
        let typed = |cause: &(dyn StdError + 'static)| {
            let error = cause.downcast_ref::<Self>()?;
            Some(Arc::new(error.clone()) as Source)
        };
        let source = source.into().into();
        let source = printable_source(source, &without_invisible, false, &typed);
        self.change(|details| details.source = Some(source))
    }

    /// Sets how long the authorization server asked to wait before the next token request.
    #[must_use]
    pub fn with_server_retry_after(self, wait: Duration) -> Self {
        self.change(|details| details.server_retry_after = Some(wait))
    }

    /// Sets the time until the next attempt.
    pub(crate) fn with_next_attempt(mut self, wait: Duration) -> Self {
        self.0.next_attempt = Some(wait);
        self
    }

    /// Prefixes the message with the place of the failure.
    pub(crate) fn at(self, place: &str) -> Self {
        self.change(|details| details.message = format!("{place}: {}", details.message).into())
    }

    /// Marks the failure as transient.
    pub(crate) fn transient(self) -> Self {
        self.change(|details| details.transient = true)
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        self.change(|details| details.status = Some(status))
    }

    pub(crate) fn with_response(self, response: ErrorResponse) -> Self {
        self.change(|details| details.response = Some(response))
    }

    /// Passes each text of this error that may come from outside through `print`, which returns a
    /// text to take its place. Kind, status and a text that the code itself holds are not changed.
    pub(crate) fn printable(self, print: &dyn Fn(&str) -> Option<String>) -> Self {
        self.change(|details| {
            if let Cow::Owned(message) = &details.message
                && let Some(message) = print(message)
            {
                details.message = message.into();
            }
            if let Some(response) = &mut details.response {
                let ErrorResponse {
                    error: _,
                    error_description,
                    error_uri,
                } = response;
                for text in [error_description, error_uri].into_iter().flatten() {
                    *text = print(text).unwrap_or_else(|| mem::take(text));
                }
            }
            if let Some(source) = details.source.take() {
                let typed = |cause: &(dyn StdError + 'static)| {
                    let error = cause.downcast_ref::<Self>()?;
                    Some(Arc::new(error.clone().printable(print)) as Source)
                };
                details.source = Some(printable_source(source, print, true, &typed));
            }
        })
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.details.kind
    }

    /// Returns whether the same request may succeed later without a change of configuration.
    ///
    /// `false` after a denial, after a redirect and after a success whose token cannot be used
    /// ([`ErrorKind::InvalidResponse`]). The cache then backs off for 30 s to 5 min, and otherwise
    /// for 1 s to 60 s: see [`RefreshPolicy`](crate::RefreshPolicy).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.details.transient
    }

    /// Returns the time until the next attempt, counted from the moment at which the caller
    /// received this error. Until then callers without a usable token receive this error at once.
    /// `None` if the error does not come from a [`TokenCache`](crate::TokenCache).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.next_attempt
    }

    /// Returns how long the authorization server asked to wait (`Retry-After`,
    /// [RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)), if it did.
    #[must_use]
    pub fn server_retry_after(&self) -> Option<Duration> {
        self.0.details.server_retry_after
    }

    /// Returns the status of the token endpoint's response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.details.status
    }

    /// Returns the code of the error response (`error` of RFC 6749 §5.2), such as `invalid_client`.
    /// Servers that name the member otherwise (`errorCode`, `code`, an object as `error`) are
    /// understood. A registered code is returned in its registered spelling.
    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        self.0.details.response.as_ref()?.error.as_deref()
    }

    /// Returns `error_description` of RFC 6749 §5.2, or the member that a server has in its place
    /// (`message`, `errorSummary`), without control characters, cut at 256 characters.
    #[must_use]
    pub fn error_description(&self) -> Option<&str> {
        self.0
            .details
            .response
            .as_ref()?
            .error_description
            .as_deref()
    }

    /// Returns `error_uri` of RFC 6749 §5.2, cleaned like the description.
    #[must_use]
    pub fn error_uri(&self) -> Option<&str> {
        self.0.details.response.as_ref()?.error_uri.as_deref()
    }

    /// Changes this handle. Other handles of the same error are unchanged.
    fn change(mut self, change: impl FnOnce(&mut Details)) -> Self {
        change(Arc::make_mut(&mut self.0.details));
        self
    }
}

/// Marks a failure as transient. For `auth-jose`, through `shared_store::internal`.
#[must_use]
pub fn transient(error: Error) -> Error {
    error.transient()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.details.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &*self.0.details;
        f.debug_struct("Error")
            .field("kind", &details.kind)
            .field("message", &details.message)
            .field("status", &details.status)
            .field("response", &details.response)
            .field("server_retry_after", &details.server_retry_after)
            .field("retry_after", &self.0.next_attempt)
            .field("source", &details.source.as_ref().map(DebugOf))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.details.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_the_place_and_no_countdown() {
        let error = Error::new(ErrorKind::Denied, "denied the client")
            .at("token endpoint https://as.example/token")
            .with_next_attempt(Duration::from_millis(29_960));
        assert_eq!(
            error.to_string(),
            "token endpoint https://as.example/token: denied the client"
        );
        assert_eq!(error.retry_after(), Some(Duration::from_millis(29_960)));
        assert!(!error.is_transient());
    }

    #[test]
    fn a_cause_set_on_one_handle_leaves_the_others_unchanged() {
        let shared = Error::connection("first");
        let other = shared.clone().with_source("second");
        assert_eq!(other.kind(), shared.kind());
        assert_eq!(other.source().unwrap().to_string(), "second");
        assert_eq!(shared.source().unwrap().to_string(), "first");
    }
}
