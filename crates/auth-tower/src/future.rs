use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use auth_core::{
    BoxError,
    adapter::{Attempt, AttemptFuture, Decision, RenewalFuture},
};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    Replay,
    exchange::{Again, Refused, Sent, Unsent, UnsentAgain},
};

pin_project! {
    /// The response future of [`Auth`](crate::Auth).
    pub struct AuthFuture<S, B, R>
    where
        S: Service<Request<B>>,
        R: Replay<B>,
    {
        #[pin]
        state: State<S, B, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, R>
    where
        S: Service<Request<B>>,
        R: Replay<B>,
    {
        /// There is no token yet; the service is not ready and holds nothing.
        Acquiring {
            waiting: AttemptFuture,
            unsent: Option<Box<Unsent<S, B, R>>>,
        },
        /// There is one; the service is driven to readiness.
        Readying { unsent: Option<Box<Unsent<S, B, R>>> },
        /// The request is on its way; `sent` if it carries our token.
        Sending {
            #[pin]
            response: S::Future,
            sent: Option<Sent<S, B, R>>,
        },
        /// The token was refused, and another has been asked for.
        Renewing {
            waiting: RenewalFuture,
            refused: Option<Box<Refused<S, B, R>>>,
        },
        /// It is there; a clone of the service is driven to readiness.
        ReadyingAgain { unsent: Option<Box<UnsentAgain<S, B>>> },
    }
}

impl<S, B, R> State<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    #[inline]
    fn sending(response: S::Future, attempt: Attempt, again: Option<Box<Again<S, B, R>>>) -> Self {
        Self::Sending {
            response,
            sent: Some(Sent { attempt, again }),
        }
    }
}

impl<S, B, R> State<S, B, R>
where
    S: Service<Request<B>> + Clone,
    R: Replay<B>,
{
    fn send_again(attempt: Attempt, unsent: UnsentAgain<S, B>) -> Self {
        let UnsentAgain {
            mut request,
            mut service,
            renewal: _,
        } = unsent;
        attempt.apply(request.headers_mut());
        Self::sending(service.call(request), attempt, None)
    }

    /// Sends what has waited, with the token that is current now, which need not be the one that
    /// was waited for: getting ready may have taken longer than that lived.
    fn send_late(mut unsent: Box<Unsent<S, B, R>>) -> Self {
        match unsent.shared.authorizer.authorize(&unsent.request) {
            Decision::PassThrough => Self::Sending {
                response: unsent.service.call(unsent.request),
                sent: None,
            },
            Decision::Authorize(attempt) => {
                let Unsent {
                    mut request,
                    mut service,
                    shared,
                } = *unsent;
                let mut again = None;
                if Again::<S, B, R>::is_possible(&attempt) {
                    (request, again) = Again::keep(request, &shared);
                }
                attempt.apply(request.headers_mut());
                Self::sending(service.call(request), attempt, again)
            }
            Decision::Wait(waiting) => {
                // as in `Auth::call`: nothing waits with a ready service
                unsent.service = unsent.service.clone();
                Self::Acquiring {
                    waiting,
                    unsent: Some(unsent),
                }
            }
        }
    }
}

impl<S, B, R> AuthFuture<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    pub(crate) fn passing(response: S::Future) -> Self {
        Self {
            state: State::Sending {
                response,
                sent: None,
            },
        }
    }

    #[inline]
    pub(crate) fn sending(
        response: S::Future,
        attempt: Attempt,
        again: Option<Box<Again<S, B, R>>>,
    ) -> Self {
        Self {
            state: State::sending(response, attempt, again),
        }
    }

    pub(crate) fn acquiring(waiting: AttemptFuture, unsent: Unsent<S, B, R>) -> Self {
        Self {
            state: State::Acquiring {
                waiting,
                unsent: Some(Box::new(unsent)),
            },
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
                        Ok(_attempt) => State::Readying { unsent },
                        Err(error) => return Poll::Ready(Err(Unsent::failed(unsent, error))),
                    }
                }
                StateProjection::Readying { unsent } => {
                    if let Some(unsent) = unsent {
                        ready!(unsent.service.poll_ready(cx)).map_err(Into::into)?;
                    }
                    match unsent.take() {
                        Some(unsent) => State::send_late(unsent),
                        // there is a request for as long as it is not sent
                        None => return Poll::Pending,
                    }
                }
                StateProjection::Sending { response, sent } => {
                    let outcome = ready!(response.poll(cx));
                    let verdict = match (&outcome, sent.take()) {
                        (Ok(response), Some(sent)) => sent.judge(response),
                        _ => None,
                    };
                    match (outcome, verdict) {
                        (Ok(response), Some((waiting, again))) => State::Renewing {
                            waiting,
                            refused: Some(Box::new(Refused { response, again })),
                        },
                        (outcome, _) => return Poll::Ready(outcome.map_err(Into::into)),
                    }
                }
                StateProjection::Renewing { waiting, refused } => {
                    let renewal = ready!(waiting.as_mut().poll(cx));
                    let Some(refused) = refused.take() else {
                        // there is a response for as long as it is not delivered
                        return Poll::Pending;
                    };
                    match refused.again(renewal) {
                        Ok(unsent) => State::ReadyingAgain {
                            unsent: Some(Box::new(unsent)),
                        },
                        Err(response) => return Poll::Ready(Ok(response)),
                    }
                }
                StateProjection::ReadyingAgain { unsent } => {
                    if let Some(unsent) = unsent {
                        ready!(unsent.service.poll_ready(cx)).map_err(Into::into)?;
                    }
                    let Some(unsent) = unsent.take() else {
                        // as above
                        return Poll::Pending;
                    };
                    match unsent.renewal.attempt() {
                        Some(attempt) => State::send_again(attempt, *unsent),
                        None => return Poll::Ready(Err(unsent.too_late())),
                    }
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
            State::Renewing { .. } => "AuthFuture::Renewing",
            State::ReadyingAgain { .. } => "AuthFuture::ReadyingAgain",
        })
    }
}
