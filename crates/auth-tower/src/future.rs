use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use auth_core::{AuthorizationFuture, Authorizer, BoxError, Decision, Error};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::Replay;

pin_project! {
    /// The response future of [`Auth`](crate::Auth).
    pub struct AuthFuture<S, B, R>
    where
        S: Service<Request<B>>,
        R: Replay<B>,
    {
        #[pin]
        state: State<S, B>,
        replay: PhantomData<fn() -> R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        /// There is no token yet; the service is not ready and holds nothing.
        Acquiring {
            waiting: AuthorizationFuture,
            unsent: Option<Box<Unsent<S, B>>>,
        },
        /// There is one; the service is driven to readiness.
        Readying { unsent: Option<Box<Unsent<S, B>>> },
        /// The request is on its way.
        Sending {
            #[pin]
            response: S::Future,
        },
    }
}

/// A request that waits, without its token. It is boxed, so that the future of one that need not
/// wait is no larger than the inner one.
pub(crate) struct Unsent<S, B> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) authorizer: Authorizer,
}

impl<S, B> Unsent<S, B>
where
    S: Service<Request<B>> + Clone,
{
    /// Sends the request with the token that is current now, which need not be the one that was
    /// waited for: getting ready may have taken longer than that lived.
    fn send(mut self: Box<Self>) -> State<S, B> {
        match self.authorizer.authorize(&self.request) {
            Decision::PassThrough => {}
            Decision::Authorize(authorization) => authorization.apply(self.request.headers_mut()),
            Decision::Wait(waiting) => {
                // as in `Auth::call`: nothing waits with a ready service
                self.service = self.service.clone();
                return State::Acquiring {
                    waiting,
                    unsent: Some(self),
                };
            }
        }
        let Self {
            request,
            mut service,
            ..
        } = *self;
        State::Sending {
            response: service.call(request),
        }
    }

    fn failed(unsent: Option<Box<Self>>, error: Error) -> BoxError {
        #[cfg(feature = "tonic")]
        if let Some(unsent) = unsent {
            return crate::tonic::unsent(error, (&unsent.request).into());
        }
        drop(unsent);
        error.into()
    }
}

impl<S, B, R> AuthFuture<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    pub(crate) fn sending(response: S::Future) -> Self {
        Self::new(State::Sending { response })
    }

    pub(crate) fn acquiring(waiting: AuthorizationFuture, unsent: Unsent<S, B>) -> Self {
        Self::new(State::Acquiring {
            waiting,
            unsent: Some(Box::new(unsent)),
        })
    }

    fn new(state: State<S, B>) -> Self {
        Self {
            state,
            replay: PhantomData,
        }
    }
}

impl<S, B, R, Out> Future for AuthFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<Out>> + Clone,
    S::Error: Into<BoxError>,
    R: Replay<B>,
{
    type Output = Result<Response<Out>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Acquiring { waiting, unsent } => {
                    let acquired = ready!(waiting.as_mut().poll(cx));
                    let unsent = unsent.take();
                    match acquired {
                        Ok(_authorization) => State::Readying { unsent },
                        Err(error) => return Poll::Ready(Err(Unsent::failed(unsent, error))),
                    }
                }
                StateProjection::Readying { unsent } => {
                    if let Some(unsent) = unsent {
                        ready!(unsent.service.poll_ready(cx)).map_err(Into::into)?;
                    }
                    match unsent.take() {
                        Some(unsent) => unsent.send(),
                        // there is a request for as long as it is not sent
                        None => return Poll::Pending,
                    }
                }
                StateProjection::Sending { response } => {
                    return response.poll(cx).map_err(Into::into);
                }
            };
            state.set(next);
        }
    }
}

impl<S, B, R> fmt::Debug for AuthFuture<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Acquiring { .. } => "AuthFuture::Acquiring",
            State::Readying { .. } => "AuthFuture::Readying",
            State::Sending { .. } => "AuthFuture::Sending",
        })
    }
}
