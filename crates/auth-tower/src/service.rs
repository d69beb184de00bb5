use std::{
    fmt, mem,
    task::{Context, Poll},
};

use auth_core::{Authorizer, BoxError, Decision};
use http::{Request, Response};
use tower_service::Service;

use crate::{
    AuthFuture, Bounded, Replay,
    exchange::{Again, Unsent},
};

/// A client whose requests carry an access token: what [`AuthLayer`](crate::AuthLayer) makes.
#[derive(Clone)]
pub struct Auth<S, R = Bounded> {
    inner: S,
    authorizer: Authorizer,
    replay: R,
}

impl<S, R> Auth<S, R> {
    pub(crate) fn new(inner: S, authorizer: Authorizer, replay: R) -> Self {
        Self {
            inner,
            authorizer,
            replay,
        }
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, to change it.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
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
        match self.authorizer.authorize(&request) {
            Decision::PassThrough => AuthFuture::passing(self.inner.call(request)),
            Decision::Authorize(attempt) if !Again::<S, B, R>::is_possible(&attempt) => {
                // a request is large, so it is moved but once
                attempt.apply(request.headers_mut());
                AuthFuture::sending(self.inner.call(request), attempt, None)
            }
            Decision::Authorize(attempt) => {
                let (mut request, again) =
                    Again::keep(request, &self.inner, &self.replay, &self.authorizer);
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
                    authorizer: self.authorizer.clone(),
                    replay: self.replay.clone(),
                };
                AuthFuture::acquiring(waiting, unsent)
            }
        }
    }
}

impl<S: fmt::Debug, R> fmt::Debug for Auth<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("inner", &self.inner)
            .field("authorizer", &self.authorizer)
            .finish_non_exhaustive()
    }
}
