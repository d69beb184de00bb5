//! The kinds of errors.

/// The kind of an [`Error`](super::Error).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorKind {
    /// The configuration cannot work. The message says what was expected and what was received.
    Configuration,
    /// The token endpoint was not reached, or the connection failed before a response.
    Connection,
    /// There was no response within the attempt timeout.
    Timeout,
    /// The token endpoint is temporarily unavailable (5xx, 408, 429, or the error
    /// `temporarily_unavailable` or `server_error`).
    Unavailable,
    /// The authorization server denied the token request ([RFC 6749
    /// §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
    Denied,
    /// The response is not a token response ([RFC 6749
    /// §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
    InvalidResponse,
    /// The token endpoint responded with a redirect, which never yields a token. The transports of
    /// `auth-tower` and `auth-reqwest` send the client's secret to no other origin.
    Redirected,
    /// The token source panicked, or the function that makes a tenant's authorizer.
    Panicked,
    /// The shared store failed. No request fails because of it.
    SharedStore,
    /// A token was needed outside a tokio runtime, where it cannot be requested.
    NoRuntime,
}

impl ErrorKind {
    /// Returns a stable name in `snake_case`, for metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Denied => "denied",
            Self::InvalidResponse => "invalid_response",
            Self::Redirected => "redirected",
            Self::Panicked => "panicked",
            Self::SharedStore => "shared_store",
            Self::NoRuntime => "no_runtime",
        }
    }

    /// Returns whether a failure of this kind is transient, unless the error says otherwise.
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
    fn a_failure_that_needs_a_change_of_configuration_is_not_transient() {
        for (kind, is_transient) in [
            (ErrorKind::Configuration, false),
            (ErrorKind::Connection, true),
            (ErrorKind::Timeout, true),
            (ErrorKind::Unavailable, true),
            (ErrorKind::Denied, false),
            (ErrorKind::InvalidResponse, true),
            (ErrorKind::Redirected, false),
            (ErrorKind::Panicked, true),
            (ErrorKind::SharedStore, true),
            (ErrorKind::NoRuntime, false),
        ] {
            assert_eq!(kind.is_transient(), is_transient, "{}", kind.as_str());
        }
    }
}
