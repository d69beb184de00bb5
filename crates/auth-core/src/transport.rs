//! How a token request travels. The HTTP client is the caller's.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;

use crate::{BoxError, Error};

/// The body of a token endpoint's answer, not read yet: this crate reads it, and no more than
/// 1 MiB of it.
pub type TransportBody = UnsyncBoxBody<Bytes, BoxError>;

/// Sends one request to the token endpoint.
///
/// `auth-tower` makes one from any tower HTTP service, `auth-reqwest` from reqwest. Whoever writes
/// another sees to it that it **does not follow redirects**: the request carries the client's
/// secret.
#[async_trait]
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` and comes back with the head of the answer, whatever its status.
    ///
    /// # Errors
    /// [`Error::connection`] when there is no answer.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error>;
}

#[async_trait]
impl<T: HttpTransport + ?Sized> HttpTransport for Arc<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        (**self).send(request).await
    }
}
