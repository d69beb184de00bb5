use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use auth_core::{Authorizer, BoxError, adapter::Decision};
use http::{Request, Response};
use tower_service::Service;

use crate::{
    AuthFuture, Bounded, Replay,
    exchange::{Again, Unsent},
    shared::Shared,
};

/// A client whose requests carry an access token: what [`AuthLayer`](crate::AuthLayer) makes.
pub struct Auth<S, R = Bounded> {
    inner: S,
    shared: Arc<Shared<S, R>>,
}

impl<S: Clone, R> Auth<S, R> {
    pub(crate) fn new(inner: S, authorizer: Authorizer, replay: R) -> Self {
        let shared = Shared::new(authorizer, replay, inner.clone());
        Self { inner, shared }
    }
}

impl<S, R> Auth<S, R> {
    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, by itself.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R, Out> Service<Request<B>> for Auth<S, R>
where
    S: Service<Request<B>, Response = Response<Out>> + Clone,
    S::Error: Into<BoxError>,
    R: Replay<B>,
{
    type Response = Response<Out>;
    type Error = BoxError;
    type Future = AuthFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.shared.authorizer.authorize(&request) {
            Decision::PassThrough => AuthFuture::passing(self.inner.call(request)),
            Decision::Authorize(attempt) if !Again::<S, B, R>::is_possible(&attempt) => {
                // a request is large, so it is moved but once
                attempt.apply(request.headers_mut());
                AuthFuture::sending(self.inner.call(request), attempt, None)
            }
            Decision::Authorize(attempt) => {
                let (mut request, again) = Again::keep(request, &self.shared);
                attempt.apply(request.headers_mut());
                AuthFuture::sending(self.inner.call(request), attempt, again)
            }
            Decision::Wait(waiting) => {
                // The inner service is ready and holds what that took, a permit perhaps; waiting
                // with it could starve the token request itself. So it is dropped, and a clone,
                // which starts out not ready, is driven through `poll_ready` once there is a token.
                let service = self.inner.clone();
                drop(mem::replace(&mut self.inner, service.clone()));
                let unsent = Unsent {
                    request,
                    service,
                    shared: Arc::clone(&self.shared),
                };
                AuthFuture::acquiring(waiting, unsent)
            }
        }
    }
}

impl<S: Clone, R> Clone for Auth<S, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for Auth<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("inner", &self.inner)
            .field("authorizer", &self.shared.authorizer)
            .finish_non_exhaustive()
    }
}
