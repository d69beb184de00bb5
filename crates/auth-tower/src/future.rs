use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

#[cfg(feature = "tonic")]
use auth_core::RequestHead;
use auth_core::{Authorization, AuthorizationFuture, BoxError, Error};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

pin_project! {
    /// The response future of [`Auth`](crate::Auth).
    pub struct AuthFuture<S, B, R>
    where
        S: Service<Request<B>>,
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
            authorization: AuthorizationFuture,
            unsent: Option<Unsent<S, B>>,
        },
        /// The request is complete; the service is driven to readiness.
        Readying { unsent: Option<Unsent<S, B>> },
        /// The request is on its way.
        Sending {
            #[pin]
            response: S::Future,
        },
    }
}

struct Unsent<S, B> {
    request: Request<B>,
    service: S,
}

impl<S, B> Unsent<S, B> {
    fn authorize(&mut self, outcome: Result<Authorization, Error>) -> Result<(), BoxError> {
        match outcome {
            Ok(authorization) => {
                authorization.apply(self.request.headers_mut());
                Ok(())
            }
            #[cfg(feature = "tonic")]
            Err(error) => Err(crate::tonic::unsent(
                error,
                RequestHead::from(&self.request),
            )),
            #[cfg(not(feature = "tonic"))]
            Err(error) => Err(error.into()),
        }
    }
}

impl<S, B, R> AuthFuture<S, B, R>
where
    S: Service<Request<B>>,
{
    pub(crate) fn sending(response: S::Future) -> Self {
        Self::new(State::Sending { response })
    }

    pub(crate) fn acquiring(
        authorization: AuthorizationFuture,
        request: Request<B>,
        service: S,
    ) -> Self {
        Self::new(State::Acquiring {
            authorization,
            unsent: Some(Unsent { request, service }),
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
    S: Service<Request<B>, Response = Response<Out>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<Out>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Acquiring {
                    authorization,
                    unsent,
                } => {
                    let authorization = ready!(authorization.as_mut().poll(cx));
                    let mut unsent = unsent.take();
                    if let Some(unsent) = &mut unsent {
                        unsent.authorize(authorization)?;
                    }
                    State::Readying { unsent }
                }
                StateProjection::Readying { unsent } => {
                    if let Some(unsent) = unsent {
                        ready!(unsent.service.poll_ready(cx)).map_err(Into::into)?;
                    }
                    let Some(mut unsent) = unsent.take() else {
                        // only a future that is polled again after it failed comes here
                        return Poll::Pending;
                    };
                    State::Sending {
                        response: unsent.service.call(unsent.request),
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
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Acquiring { .. } => "AuthFuture::Acquiring",
            State::Readying { .. } => "AuthFuture::Readying",
            State::Sending { .. } => "AuthFuture::Sending",
        })
    }
}
