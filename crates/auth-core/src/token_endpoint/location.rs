//! Where the token endpoint is: a URL, or what the metadata of the authorization server says.

use std::sync::Arc;

use http::{HeaderValue, Uri};

use super::{authentication::Method, metadata::Discovery, url::TokenEndpointUrl};
use crate::{Error, HttpTransport};

/// Where the token endpoint is.
#[derive(Debug)]
pub(super) enum Location {
    Url {
        url: Arc<TokenEndpointUrl>,
        /// The issuer, if the user states it.
        issuer: Option<Arc<str>>,
    },
    Discovered(Box<Discovery>),
}

/// A token endpoint that is known.
pub(super) struct Located {
    pub(super) url: Arc<TokenEndpointUrl>,
    pub(super) issuer: Option<Arc<str>>,
    /// The revocation endpoint that the metadata names.
    pub(super) revocation: Option<Arc<TokenEndpointUrl>>,
}

/// A request to the endpoint without a response yet. If it is dropped, the endpoint may have moved.
pub(super) struct Sending<'a> {
    location: &'a Location,
    has_response: bool,
}

impl Sending<'_> {
    /// Returns the output of `sent`, a response or an error.
    pub(super) async fn until<T>(mut self, sent: impl Future<Output = T>) -> T {
        let output = sent.await;
        self.has_response = true;
        output
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if let (Location::Discovered(discovery), false) = (self.location, self.has_response) {
            discovery.doubt();
        }
    }
}

impl Location {
    /// Returns the token endpoint. Requests the metadata of the authorization server if necessary.
    pub(super) async fn locate(
        &self,
        transport: &dyn HttpTransport,
        method: Method,
        has_certificate: bool,
        user_agent: Option<&HeaderValue>,
    ) -> Result<Located, Error> {
        match self {
            Self::Url { url, issuer } => Ok(Located {
                url: Arc::clone(url),
                issuer: issuer.clone(),
                revocation: None,
            }),
            Self::Discovered(discovery) => {
                let metadata = discovery.metadata(transport, user_agent).await?;
                discovery.check_method(&metadata, method.metadata_names());
                // RFC 8705 section 5: a client with a certificate uses the aliases
                let alias = |alias: &Option<Arc<TokenEndpointUrl>>| {
                    alias.clone().filter(|_| has_certificate)
                };
                let token = alias(&metadata.mtls_token_endpoint);
                let revocation = alias(&metadata.mtls_revocation_endpoint);
                Ok(Located {
                    url: token.unwrap_or_else(|| Arc::clone(&metadata.token_endpoint)),
                    issuer: Some(metadata.issuer().into()),
                    revocation: revocation.or_else(|| metadata.revocation_endpoint.clone()),
                })
            }
        }
    }

    /// Passes on the error of a request to the endpoint.
    pub(super) fn failed(&self, error: Error) -> Error {
        if let Self::Discovered(discovery) = self {
            discovery.doubt_after(&error);
        }
        error
    }

    /// Watches a request to the endpoint, which is dropped when its attempt ends.
    pub(super) fn sending(&self) -> Sending<'_> {
        Sending {
            location: self,
            has_response: false,
        }
    }

    /// Returns the URL without its query, or the issuer.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Url { url, .. } => url.without_query(),
            Self::Discovered(discovery) => discovery.issuer(),
        }
    }

    /// Returns the text that tells it from others in a shared store.
    pub(super) fn shared_name(&self) -> String {
        match self {
            Self::Url { url, .. } => Uri::to_string(url.uri()),
            Self::Discovered(discovery) => format!("issuer {}", discovery.issuer()),
        }
    }

    /// Returns the token endpoint, if it is known without a request.
    pub(super) fn known(&self) -> Option<&TokenEndpointUrl> {
        match self {
            Self::Url { url, .. } => Some(url),
            Self::Discovered(_) => None,
        }
    }
}
