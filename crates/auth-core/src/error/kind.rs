/// What kind of thing went wrong.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorKind {
    /// What was configured cannot work; the message says what was expected and what came.
    Configuration,
    /// The token endpoint was not reached, or the connection failed before an answer.
    Connection,
    /// No answer within the time one attempt may take.
    Timeout,
    /// The token endpoint answered that it cannot serve now (5xx, 429).
    Unavailable,
    /// The token endpoint said no ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
    Refused,
    /// The answer is not a token response ([RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
    InvalidResponse,
    /// The token endpoint answered with a redirect, which is never followed: it would carry the
    /// client's secret to another place.
    Redirected,
    /// The token source panicked.
    Panicked,
    /// The store that processes share failed. No request fails because of that.
    SharedStore,
    /// A token was needed, and nothing drives a request for it: no tokio runtime.
    NoRuntime,
}

impl ErrorKind {
    /// A stable name in `snake_case`, for metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::InvalidResponse => "invalid_response",
            Self::Redirected => "redirected",
            Self::Panicked => "panicked",
            Self::SharedStore => "shared_store",
            Self::NoRuntime => "no_runtime",
        }
    }

    /// Whether such a failure may pass by itself, unless the error says otherwise.
    pub(super) fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::Timeout
                | Self::Unavailable
                | Self::InvalidResponse
                | Self::Panicked
                | Self::SharedStore
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_has_to_put_right_does_not_pass_by_itself() {
        for (kind, passes) in [
            (ErrorKind::Configuration, false),
            (ErrorKind::Connection, true),
            (ErrorKind::Timeout, true),
            (ErrorKind::Unavailable, true),
            (ErrorKind::Refused, false),
            (ErrorKind::InvalidResponse, true),
            (ErrorKind::Redirected, false),
            (ErrorKind::Panicked, true),
            (ErrorKind::SharedStore, true),
            (ErrorKind::NoRuntime, false),
        ] {
            assert_eq!(kind.is_transient(), passes, "{}", kind.as_str());
        }
    }
}
