//! The transport for token requests.

use async_trait::async_trait;
use auth_core::{Error, ErrorKind, HttpTransport, TransportBody};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use reqwest::{Body, Client, ClientBuilder, redirect::Policy};

/// Sends token requests through reqwest. No redirect can repeat a token request, which carries the
/// client's secret, at another host.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: Client,
    /// Whether the client is known not to follow redirects.
    never_redirects: bool,
}

impl ReqwestTransport {
    /// Builds a client from `builder` with redirects switched off. Timeouts, proxies and root
    /// certificates are those of `builder`. For an authorization server on loopback, over `http`,
    /// set
    /// [`no_proxy`](ClientBuilder::no_proxy): otherwise the secret goes through the proxy that
    /// `HTTP_PROXY` names.
    ///
    /// ```
    /// # fn example() -> Result<(), auth_reqwest::auth_core::Error> {
    /// use auth_reqwest::ReqwestTransport;
    ///
    /// let transport = ReqwestTransport::new(reqwest::Client::builder())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the client cannot be built, because of TLS or the system's resolver.
    pub fn new(builder: ClientBuilder) -> Result<Self, Error> {
        let client = builder.redirect(Policy::none()).build().map_err(|e| {
            Error::configuration(
                "reqwest client for token requests: expected a valid client builder, got one that \
                 cannot be built; see the cause",
            )
            .with_source(e)
        })?;
        Ok(Self {
            client,
            never_redirects: true,
        })
    }

    /// Uses an existing client, whose connections are then shared. The client may follow redirects:
    /// reqwest does so by default, and a single request cannot switch it off. The body is therefore
    /// sent as a stream, which a redirect cannot repeat; reqwest drops the `Authorization` header
    /// when a redirect leads to another host; and a response from another URL than the requested
    /// one is an error. Prefer [`new`](Self::new), which does not even connect to a redirect's
    /// target.
    #[must_use]
    pub fn from_client(client: Client) -> Self {
        Self {
            client,
            never_redirects: false,
        }
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let request = request.map(|body| {
            if self.never_redirects {
                Body::from(body)
            } else {
                Body::wrap(Full::new(body))
            }
        });
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let requested = request.url().clone();
        let response = self.client.execute(request).await.map_err(failed)?;
        if *response.url() != requested {
            // neither a query nor credentials
            let target = response.url();
            let (origin, path) = (target.origin().ascii_serialization(), target.path());
            return Err(Error::new(
                ErrorKind::Redirected,
                format!(
                    "expected a response from the requested URL, got one after a redirect to \
                     {origin}{path}, which the client followed without the request's body; the \
                     response is not used; set it as the token endpoint if it is the right one"
                ),
            ));
        }
        let response = Response::from(response);
        Ok(response.map(|body| TransportBody::new(body.map_err(reqwest::Error::without_url))))
    }
}

/// Converts an error of reqwest, without its URL: the query may be private, and the caller adds the
/// token endpoint.
fn failed(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if error.is_redirect() {
        return Error::new(
            ErrorKind::Redirected,
            "expected a response, got a redirect, which is not followed; configure the final URL",
        )
        .with_source(error);
    }
    if error.is_timeout() {
        return Error::new(
            ErrorKind::Timeout,
            "the token request received no response within the timeout of the reqwest client",
        )
        .with_source(error);
    }
    Error::connection(error)
}
