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
    /// The token endpoint is temporarily unavailable: 5xx, 429, the error
    /// `temporarily_unavailable` or `server_error`, or a 4xx other than 400, 401 and 403 without a
    /// registered error code, as an ingress sends it during a deployment.
    Unavailable,
    /// The authorization server denied the token request ([RFC 6749
    /// §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)): 400, 401 or 403 with or without
    /// an error code, another 4xx with a registered one, or an error in a success.
    Denied,
    /// The token endpoint responded with a success that holds no usable token ([RFC 6749
    /// §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)). It is not transient: the server
    /// has counted the token request, and the next one would yield the same.
    InvalidResponse,
    /// The token endpoint responded with a redirect, which never yields a token. The transports of
    /// `auth-tower` and `auth-reqwest` send the client's secret to no other origin. Or an unlisted
    /// origin redirected a request to an allowed one, which would have received the token.
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
            (ErrorKind::InvalidResponse, false),
            (ErrorKind::Redirected, false),
            (ErrorKind::Panicked, true),
            (ErrorKind::SharedStore, true),
            (ErrorKind::NoRuntime, false),
        ] {
            assert_eq!(kind.is_transient(), is_transient, "{}", kind.as_str());
        }
    }
}
