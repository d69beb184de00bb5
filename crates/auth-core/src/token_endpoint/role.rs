//! The two endpoints of an authorization server that this crate uses, as texts name them.

/// The purpose of an endpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// Issues tokens (RFC 6749 §3.2).
    Token,
    /// Revokes tokens (RFC 7009 §2).
    Revocation,
}

impl Role {
    /// Returns the name of the endpoint.
    pub(crate) fn endpoint(self) -> &'static str {
        match self {
            Self::Token => "token endpoint",
            Self::Revocation => "revocation endpoint",
        }
    }

    /// Returns the name of what is asked of it.
    pub(crate) fn request(self) -> &'static str {
        match self {
            Self::Token => "the token request",
            Self::Revocation => "the revocation",
        }
    }

    /// Returns the name of its response.
    pub(crate) fn response(self) -> &'static str {
        match self {
            Self::Token => "a token response",
            Self::Revocation => "a response to the revocation",
        }
    }

    /// Returns an example of its URL.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Token => "https://as.example.com/oauth/token",
            Self::Revocation => "https://as.example.com/oauth/revoke",
        }
    }
}
