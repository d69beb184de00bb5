use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};

use auth_core::{Authorizer, BoxError, adapter::Decision};
use auth_replay::{Bounded, Replay};
use http::{Request, Response};
use tower_service::Service;

use crate::{
    deadline::CallDeadline,
    exchange::{ClientState, PendingRequest, PreparedReplay, UnlistedRequest},
    future::ResponseFuture,
    response_body::ResponseBody,
};

/// A client whose requests carry an access token. [`AuthLayer`](crate::AuthLayer) creates it.
pub struct Auth<S, R = Bounded> {
    inner: S,
    client: Arc<ClientState<S, R>>,
}

impl<S: Clone, R> Auth<S, R> {
    pub(crate) fn new(inner: S, authorizer: Authorizer, replay: R) -> Self {
        let client = ClientState::new(authorizer, replay, inner.clone());
        Self { inner, client }
    }
}

impl<S, R> Auth<S, R> {
    /// Returns the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the inner service and drops this one.
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
    type Response = Response<ResponseBody<Out>>;
    type Error = BoxError;
    type Future = ResponseFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.client.authorizer.authorize(&request) {
            Decision::PassThrough(passing) => {
                let unlisted = UnlistedRequest::of(&request, passing, &self.client);
                ResponseFuture::passed_through(self.inner.call(request), unlisted)
            }
            Decision::Authorize(attempt) if !PreparedReplay::<S, B, R>::is_possible(&attempt) => {
                let authorizer = &self.client.authorizer;
                let deadline = CallDeadline::of_sent(&attempt, &request, authorizer);
                // a request is large, so it is moved only once
                attempt.apply(request.headers_mut());
                ResponseFuture::sent(self.inner.call(request), attempt, None, deadline)
            }
            Decision::Authorize(attempt) => {
                let (mut request, replay) = PreparedReplay::prepare(request, &self.client);
                let deadline = match &replay {
                    Some(_) => None,
                    None => CallDeadline::of_sent(&attempt, &request, &self.client.authorizer),
                };
                attempt.apply(request.headers_mut());
                ResponseFuture::sent(self.inner.call(request), attempt, replay, deadline)
            }
            Decision::Wait(token) => {
                // The inner service is ready and may hold a permit. If the request kept it while it
                // waits, the token request might never get one. So the service is dropped, and a
                // clone, which is not ready, is driven through `poll_ready` once there is a token.
                let service = self.inner.clone();
                drop(mem::replace(&mut self.inner, service.clone()));
                let pending = PendingRequest {
                    deadline: CallDeadline::of(&request, &self.client.authorizer),
                    request,
                    service,
                    client: Arc::clone(&self.client),
                };
                ResponseFuture::awaiting_token(token, pending)
            }
        }
    }
}

impl<S: Clone, R> Clone for Auth<S, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            client: Arc::clone(&self.client),
        }
    }
}

impl<S, R> fmt::Debug for Auth<S, R> {
    /// Leaves out the inner service: a layer may print headers, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("authorizer", &self.client.authorizer)
            .finish_non_exhaustive()
    }
}
