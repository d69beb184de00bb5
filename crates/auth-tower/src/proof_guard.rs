//! Keeps a proof from being sent to another URL than its own.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use auth_core::{BoxError, Error, ErrorKind, adapter::RequestHead};
use http::Request;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Fails a request whose proof was made for another URL ([RFC 9449
/// §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)), in a stack that follows redirects inside
/// [`AuthLayer`](crate::AuthLayer).
///
/// A client that follows a redirect inside the layer repeats the headers of the first request, also a proof.
/// Follow redirects outside the layer: there each hop is a request of its own, with a proof of its own.
/// Where they have to be followed inside, put this layer between `FollowRedirect` and the client. A hop to
/// another URL, or with another method, then fails with an [`auth_core::Error`] of
/// [`Redirected`](ErrorKind::Redirected). A hop to the same URL is sent with the proof of the first request, also
/// one with another query, which a proof does not state; a server that remembers proofs (§11.1) rejects it.
/// The layer costs a request without a proof one look for the header.
///
/// ```
/// use auth_tower::{AuthLayer, ProofGuardLayer, auth_core::Authorizer};
/// use tower::Layer;
/// use tower_http::follow_redirect::FollowRedirectLayer;
///
/// # fn example<S: Clone>(client: S, authorizer: Authorizer) {
/// let client = FollowRedirectLayer::new().layer(ProofGuardLayer.layer(client));
/// let client = AuthLayer::new(authorizer).layer(client);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ProofGuardLayer;

impl<S> Layer<S> for ProofGuardLayer {
    type Service = ProofGuard<S>;

    fn layer(&self, inner: S) -> ProofGuard<S> {
        ProofGuard { inner }
    }
}

/// A client that sends no proof to another URL than its own. [`ProofGuardLayer`] creates it.
#[derive(Clone)]
pub struct ProofGuard<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for ProofGuard<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = GuardedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if RequestHead::from(&request).has_foreign_proof() {
            return GuardedFuture::Declined;
        }
        GuardedFuture::Sent {
            response: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The future of a response of [`ProofGuard`].
    #[project = GuardedProjection]
    pub enum GuardedFuture<F> {
        /// The request is in flight.
        #[doc(hidden)]
        Sent { #[pin] response: F },
        /// The request was not sent.
        #[doc(hidden)]
        Declined,
    }
}

impl<F, Out, E> Future for GuardedFuture<F>
where
    F: Future<Output = Result<Out, E>>,
    E: Into<BoxError>,
{
    type Output = Result<Out, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project() {
            GuardedProjection::Sent { response } => ready!(response.poll(cx)).map_err(Into::into),
            GuardedProjection::Declined => Err(Error::new(
                ErrorKind::Redirected,
                "request after a redirect: expected no DPoP proof that was made for another URL, got the \
                 one of the first request; it is not sent; follow redirects outside the layer \
                 (AuthLayer inside FollowRedirect), where each hop has a proof of its own",
            )
            .into()),
        })
    }
}

impl<F> fmt::Debug for GuardedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent { .. } => "GuardedFuture::Sent",
            Self::Declined => "GuardedFuture::Declined",
        })
    }
}

impl<S> fmt::Debug for ProofGuard<S> {
    /// Leaves out the inner service: a layer may print headers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofGuard").finish_non_exhaustive()
    }
}
