use async_trait::async_trait;
use auth_core::{Error, ErrorKind, HttpTransport, TransportBody};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use reqwest::{Body, Client, ClientBuilder, redirect::Policy};

/// Sends token requests through reqwest, in a way that cannot be redirected: a token request
/// carries the client's secret.
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: Client,
    /// Whether the client is known not to follow redirects.
    never_redirects: bool,
}

impl ReqwestTransport {
    /// A client of its own, made from `builder` with redirects switched off. Timeouts, proxies and
    /// roots of trust are the builder's: for an authorization server on loopback, over `http`, tell
    /// it [`no_proxy`](ClientBuilder::no_proxy), or the secret goes to whatever `HTTP_PROXY` names.
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
    /// If the client cannot be built: TLS, or the system's resolver.
    pub fn new(builder: ClientBuilder) -> Result<Self, Error> {
        let client = builder.redirect(Policy::none()).build().map_err(|e| {
            Error::configuration("the client for token requests could not be built").with_source(e)
        })?;
        Ok(Self {
            client,
            never_redirects: true,
        })
    }

    /// An existing client, whose pool is then shared. It may be one that follows redirects, as
    /// reqwest does by default and cannot be told otherwise for one request. So the body is sent as
    /// a stream, which a redirect cannot repeat; reqwest drops the `Authorization` header where one
    /// leads to another host; and an answer from any URL but the asked one is refused.
    /// [`new`](Self::new) is the stronger: it does not even connect to where a redirect leads.
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
        let asked = request.url().clone();
        let response = self.client.execute(request).await.map_err(failed)?;
        if *response.url() != asked {
            return Err(Error::new(
                ErrorKind::Redirected,
                "the token endpoint redirected, and the client followed, without the request's body; \
                 the answer is refused",
            ));
        }
        let response = Response::from(response);
        Ok(response.map(|body| body.map_err(|e| e.without_url().into()).boxed_unsync()))
    }
}

/// Without the URL: the caller knows the token endpoint, and its query may be private.
fn failed(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if error.is_redirect() {
        return Error::new(ErrorKind::Redirected, "the token endpoint redirected")
            .with_source(error);
    }
    if error.is_timeout() {
        return Error::new(ErrorKind::Timeout, "the token request took too long")
            .with_source(error);
    }
    Error::connection(error)
}
