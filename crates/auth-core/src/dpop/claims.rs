//! The claims of a proof.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::Method;

/// The claims of one proof, apart from its `jti` ([RFC 9449
/// §4.2](https://www.rfc-editor.org/rfc/rfc9449#section-4.2)).
///
/// `Debug` shows neither the token nor the nonce.
///
/// ```
/// use auth_core::ProofClaims;
/// use http::Method;
///
/// let claims = ProofClaims::new(&Method::POST, "https://as.example.com/token").with_nonce("n-1");
/// assert_eq!((claims.method(), claims.url()), ("POST", "https://as.example.com/token"));
/// assert_eq!((claims.access_token(), claims.nonce()), (None, Some("n-1")));
/// ```
#[derive(Clone, Copy)]
pub struct ProofClaims<'a> {
    method: &'a str,
    url: &'a str,
    access_token: Option<&'a str>,
    nonce: Option<&'a str>,
    time: Duration,
}

impl<'a> ProofClaims<'a> {
    /// Describes a request to `url`, which is the claim `htu`: without query and fragment. The time is
    /// that of the system's clock.
    #[must_use]
    pub fn new(method: &'a Method, url: &'a str) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self::at(now.unwrap_or_default(), method, url)
    }

    /// Describes a request at a time since 1970.
    pub(crate) fn at(time: Duration, method: &'a Method, url: &'a str) -> Self {
        Self {
            method: method.as_str(),
            url,
            access_token: None,
            nonce: None,
            time,
        }
    }

    /// Sets the token that the request carries. Default: none, as for a token request.
    #[must_use]
    pub fn with_access_token(mut self, token: &'a str) -> Self {
        self.access_token = Some(token);
        self
    }

    /// Sets the nonce of the server. Default: none.
    #[must_use]
    pub fn with_nonce(mut self, nonce: &'a str) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// Sets the time, since 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn with_time(mut self, since_1970: Duration) -> Self {
        self.time = since_1970;
        self
    }

    /// Returns the request's method, the claim `htm`.
    #[must_use]
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// Returns the request's URL without query and fragment, the claim `htu`.
    #[must_use]
    pub fn url(&self) -> &'a str {
        self.url
    }

    /// Returns the token that the request carries. The claim `ath` is the base64url of its SHA-256.
    #[must_use]
    pub fn access_token(&self) -> Option<&'a str> {
        self.access_token
    }

    /// Returns the claim `nonce`, if the server has sent one.
    #[must_use]
    pub fn nonce(&self) -> Option<&'a str> {
        self.nonce
    }

    /// Returns the time of the proof since 1970-01-01 00:00:00 UTC, by the clock of the cache. The claim
    /// `iat` is its whole seconds.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time
    }
}

impl fmt::Debug for ProofClaims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofClaims")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
