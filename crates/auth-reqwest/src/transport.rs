//! The transport for token requests.

use std::fmt;

use async_trait::async_trait;
use auth_core::{Error, ErrorKind, HttpTransport, TransportBody};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use reqwest::{Body, Client, ClientBuilder, redirect::Policy};

/// Sends token requests through reqwest. No redirect can repeat a token request, which carries the
/// client's secret, at another host.
///
/// The token requests carry the `User-Agent` of the client, if it has one, and else that of
/// `auth-core`: see [`user_agent`](auth_core::ClientCredentialsBuilder::user_agent).
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    /// Whether the transport has switched the client's redirects off.
    never_redirects: bool,
    settings: ClientSettings,
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
            settings: ClientSettings::of(&client),
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
    ///
    /// reqwest shows the whole URL of a redirected request in `Referer`. If the client may follow
    /// redirects, a token endpoint whose URL has a query is therefore an error of each token
    /// request.
    #[must_use]
    pub fn from_client(client: Client) -> Self {
        Self {
            settings: ClientSettings::of(&client),
            client,
            never_redirects: false,
        }
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let may_redirect = !self.never_redirects && !self.settings.has_no_redirects;
        if may_redirect && request.uri().query().is_some() {
            return Err(Error::configuration(
                "expected a token endpoint without a query, because the reqwest client may follow a \
                 redirect and would then send the query in Referer; use ReqwestTransport::new, or a \
                 client with redirect::Policy::none()",
            ));
        }
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

    fn sets_user_agent(&self) -> bool {
        self.settings.has_user_agent
    }
}

impl fmt::Debug for ReqwestTransport {
    /// Leaves out the client: it prints its default headers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("never_redirects", &self.never_redirects)
            .finish_non_exhaustive()
    }
}

/// The settings of a client that decide about a token request.
#[derive(Clone, Copy)]
struct ClientSettings {
    has_user_agent: bool,
    has_no_redirects: bool,
}

impl ClientSettings {
    /// Reads the settings from what `Debug` prints: reqwest shows them nowhere else. A quote within a
    /// header's value is escaped there, so no value looks like a setting. If a later reqwest prints
    /// something else, a `User-Agent` is ours and a client is taken for one that follows redirects.
    fn of(client: &Client) -> Self {
        let printed = format!("{client:?}");
        Self {
            has_user_agent: printed.contains("\"user-agent\": "),
            has_no_redirects: printed.contains("redirect_policy: \"Policy(None)\""),
        }
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
