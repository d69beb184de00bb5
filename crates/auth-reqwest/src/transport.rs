//! The transport for token requests.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use auth_core::{Error, ErrorKind, HttpTransport, TransportBody};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use reqwest::{Body, Client, ClientBuilder, redirect::Policy};

use crate::direct::Direct;

/// Sends token requests through a reqwest client of its own.
///
/// - The client follows no redirects, so that the client's secret is sent to no other host.
/// - It keeps no connection. Each token request takes a new one, over HTTP/1.1 and HTTP/2, and
///   therefore never waits on a kept connection that has failed without notice. reqwest's clients
///   ignore the mark [`NewConnection`](auth_core::NewConnection), and an existing client can for that
///   reason not be used.
/// - The token requests carry the `User-Agent` of the client, if it has one, and else that of
///   `auth-core`: see [`user_agent`](auth_core::ClientCredentialsBuilder::user_agent).
/// - A request over `http` to a loopback host is not sent through a proxy of the environment.
#[derive(Clone)]
pub struct ReqwestTransport {
    client: Client,
    /// Whether the client has a default `User-Agent`.
    has_user_agent: bool,
    /// `None` if the client uses no proxy for loopback.
    direct: Option<Arc<Direct>>,
}

impl ReqwestTransport {
    /// Builds the client from `builder`, with redirects and the pool of connections switched off.
    /// Timeouts, proxies and root certificates are those of `builder`.
    ///
    /// [`client_builder`](crate::client_builder) returns a builder that uses no proxy of the
    /// environment for loopback. With reqwest's own builder, a proxy of the environment would receive
    /// the client's secret of a token request to a loopback host over `http`. Such a request is
    /// therefore sent over HTTP/1.1 without a proxy, and without the settings of `builder`. A request
    /// to loopback over `https` is sent through the proxy, which sees only ciphertext.
    ///
    /// ```
    /// # fn example() -> Result<(), auth_reqwest::auth_core::Error> {
    /// use auth_reqwest::{ReqwestTransport, client_builder};
    ///
    /// let transport = ReqwestTransport::new(client_builder())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the client cannot be built, because of TLS or the system's resolver.
    pub fn new(builder: ClientBuilder) -> Result<Self, Error> {
        let builder = builder.redirect(Policy::none()).pool_max_idle_per_host(0);
        // HTTP/3 has a pool of its own
        let client = builder.pool_idle_timeout(Duration::ZERO).build();
        let client = client.map_err(|e| {
            Error::configuration(
                "reqwest client for token requests: expected a valid client builder, got one that \
                 cannot be built; see the cause",
            )
            .with_source(e)
        })?;
        Ok(Self {
            has_user_agent: has_user_agent(&client),
            direct: Direct::beside(&client).map(Arc::new),
            client,
        })
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let request = match &self.direct {
            Some(direct) if direct.is_needed(request.uri()) => return direct.send(request).await,
            _ => reqwest::Request::try_from(request.map(Body::from)).map_err(failed)?,
        };
        let response = self.client.execute(request).await.map_err(failed)?;
        let response = Response::from(response);
        Ok(response.map(|body| TransportBody::new(body.map_err(reqwest::Error::without_url))))
    }

    fn sets_user_agent(&self) -> bool {
        self.has_user_agent
    }
}

/// Returns whether a client has a default `User-Agent`. Only its `Debug` output tells. A quote within a
/// header's value is escaped there, so no value looks like a header. If a later reqwest prints
/// something else, the `User-Agent` is ours.
fn has_user_agent(client: &Client) -> bool {
    format!("{client:?}").contains("\"user-agent\": ")
}

impl fmt::Debug for ReqwestTransport {
    /// Leaves out the client: it prints its default headers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").finish_non_exhaustive()
    }
}

/// Converts an error of reqwest, without its URL: the query may be private, and the caller adds the
/// token endpoint.
fn failed(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if error.is_timeout() {
        return Error::new(
            ErrorKind::Timeout,
            "the token request received no response within the timeout of the reqwest client",
        )
        .with_source(error);
    }
    Error::connection(error)
}
