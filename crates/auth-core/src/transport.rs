//! The interface of the HTTP client that sends token requests.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};

use crate::{BoxError, Error};

/// The body of a token endpoint's response. This crate reads at most 1 MiB of it.
#[derive(Debug)]
pub struct TransportBody(UnsyncBoxBody<Bytes, BoxError>);

impl TransportBody {
    /// Wraps a body.
    pub fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self(body.map_err(Into::into).boxed_unsync())
    }
}

impl Body for TransportBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Asks the HTTP client for a new connection. Each token request of
/// [`ClientCredentials`](crate::ClientCredentials) has this mark in its
/// [extensions](http::Extensions).
///
/// A client that keeps connections sends a marked request over a connection of its own, and closes
/// the connection after the response. A kept connection may have failed without notice: the server
/// no longer responds, refuses each HTTP/2 stream, or the runtime that opened the connection is no
/// longer driven. A token request over such a connection fails, and so does its retry if the client
/// still keeps the connection. Token requests are rare, so a connection for each costs little.
///
/// ```
/// use auth_core::NewConnection;
///
/// /// Returns whether a client may send the request over a kept connection.
/// fn may_reuse<B>(request: &http::Request<B>) -> bool {
///     request.extensions().get::<NewConnection>().is_none()
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct NewConnection;

/// Sends one request to the token endpoint.
///
/// `auth-tower` implements it for any tower HTTP service, `auth-reqwest` for reqwest. An
/// implementation **must not follow redirects**: the request carries the client's secret. It should
/// send a request with the mark [`NewConnection`] over a connection that has carried no other
/// request.
#[async_trait]
pub trait HttpTransport: fmt::Debug + Send + Sync + 'static {
    /// Sends `request`, and returns the response with any status.
    ///
    /// # Errors
    /// [`Error::connection`] if there is no response.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error>;

    /// Returns whether the client of this transport adds a `User-Agent` to requests that have none.
    /// The token requests then carry that one, unless
    /// [`user_agent`](crate::ClientCredentialsBuilder::user_agent) is set. Default: `false`.
    fn sets_user_agent(&self) -> bool {
        false
    }
}

#[async_trait]
impl<T: HttpTransport + ?Sized> HttpTransport for Arc<T> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        (**self).send(request).await
    }

    fn sets_user_agent(&self) -> bool {
        (**self).sets_user_agent()
    }
}
