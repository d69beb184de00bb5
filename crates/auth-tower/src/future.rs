use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use auth_core::{
    BoxError,
    adapter::{Attempt, AttemptFuture, Decision, RenewalFuture, ReplacementFuture},
};
use auth_replay::Replay;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    deadline::{Awaited, CallDeadline},
    exchange::{
        Classified, PendingReplay, PendingRequest, PreparedReplay, RejectedRequest, SentRequest,
        UnlistedRequest,
    },
    response_body::ResponseBody,
};

pin_project! {
    /// The future of a response of [`Auth`](crate::Auth).
    pub struct ResponseFuture<S, B, R>
    where
        S: Service<Request<B>>,
        R: Replay<B>,
    {
        #[pin]
        awaiting: Awaiting<S, B, R>,
    }
}

pin_project! {
    /// The event that the future waits for.
    #[project = AwaitingProjection]
    enum Awaiting<S, B, R>
    where
        S: Service<Request<B>>,
        R: Replay<B>,
    {
        /// There is no token yet. The service is not ready and holds no permit.
        Token {
            token: AttemptFuture,
            pending: Option<Box<PendingRequest<S, B, R>>>,
        },
        /// There is a token, and the service is driven to readiness.
        Readiness {
            attempt: Option<Attempt>,
            pending: Option<Box<PendingRequest<S, B, R>>>,
        },
        /// The request is in flight without a token. `None` if its response needs no check.
        PassedThrough {
            #[pin]
            response: S::Future,
            unlisted: Option<UnlistedRequest<S, R>>,
        },
        /// The request is in flight with a token.
        Response {
            #[pin]
            response: S::Future,
            sent: Option<SentRequest<S, B, R>>,
        },
        /// The API rejected the token, another is requested, and the request is not replayed.
        Delivery {
            replacement: ReplacementFuture,
            response: Option<Box<S::Response>>,
        },
        /// The API rejected the token, and another is requested.
        Replacement {
            token: RenewalFuture,
            rejected: Option<Box<RejectedRequest<S, B, R>>>,
        },
        /// There is another token, and a clone of the service is driven to readiness.
        ReplayReadiness { pending: Option<Box<PendingReplay<S, B>>> },
    }
}

impl<S, B, R> Awaiting<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    #[inline]
    fn sent(
        response: S::Future,
        attempt: Attempt,
        replay: Option<Box<PreparedReplay<S, B, R>>>,
        deadline: Option<Box<CallDeadline>>,
    ) -> Self {
        Self::Response {
            response,
            sent: Some(SentRequest {
                attempt,
                replay,
                deadline,
            }),
        }
    }
}

impl<S, B, R> Awaiting<S, B, R>
where
    S: Service<Request<B>> + Clone,
    R: Replay<B>,
{
    fn send_replay(attempt: Attempt, pending: PendingReplay<S, B>) -> Result<Self, BoxError> {
        let PendingReplay {
            mut request,
            mut service,
            renewal: _,
            deadline,
        } = pending;
        deadline.set_remaining(request.headers_mut(), Awaited::ReplayReadiness)?;
        attempt.apply(request.headers_mut());
        let deadline = Some(Box::new(deadline));
        Ok(Self::sent(service.call(request), attempt, None, deadline))
    }

    /// Sends a request that had to wait, with the awaited token. If the token has expired or been
    /// replaced before the service was ready, the authorizer decides again.
    fn send_pending(
        attempt: Attempt,
        mut pending: Box<PendingRequest<S, B, R>>,
    ) -> Result<Self, BoxError> {
        let headers = pending.request.headers_mut();
        pending
            .deadline
            .set_remaining(headers, Awaited::Readiness)?;
        let decision = match attempt.is_current() {
            true => Decision::Authorize(attempt),
            false => pending.client.authorizer.authorize(&pending.request),
        };
        Ok(match decision {
            Decision::PassThrough(passing) => {
                let unlisted = UnlistedRequest::of(&pending.request, passing, &pending.client);
                Self::PassedThrough {
                    response: pending.service.call(pending.request),
                    unlisted,
                }
            }
            Decision::Authorize(attempt) => {
                let PendingRequest {
                    mut request,
                    mut service,
                    client,
                    deadline,
                } = *pending;
                let mut replay = None;
                if PreparedReplay::<S, B, R>::is_possible(&attempt) {
                    (request, replay) = PreparedReplay::prepare(request, &client);
                }
                attempt.apply(request.headers_mut());
                let response = service.call(request);
                Self::sent(response, attempt, replay, Some(Box::new(deadline)))
            }
            Decision::Wait(token) => {
                // as in `Auth::call`: no request waits for a token with a ready service
                pending.service = pending.service.clone();
                Self::Token {
                    token,
                    pending: Some(pending),
                }
            }
        })
    }
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    pub(crate) fn passed_through(
        response: S::Future,
        unlisted: Option<UnlistedRequest<S, R>>,
    ) -> Self {
        Self {
            awaiting: Awaiting::PassedThrough { response, unlisted },
        }
    }

    #[inline]
    pub(crate) fn sent(
        response: S::Future,
        attempt: Attempt,
        replay: Option<Box<PreparedReplay<S, B, R>>>,
        deadline: Option<Box<CallDeadline>>,
    ) -> Self {
        Self {
            awaiting: Awaiting::sent(response, attempt, replay, deadline),
        }
    }

    pub(crate) fn awaiting_token(token: AttemptFuture, pending: PendingRequest<S, B, R>) -> Self {
        Self {
            awaiting: Awaiting::Token {
                token,
                pending: Some(Box::new(pending)),
            },
        }
    }
}

impl<S, B, R, Out> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<Out>> + Clone,
    S::Error: Into<BoxError>,
    R: Replay<B>,
{
    type Output = Result<Response<ResponseBody<Out>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut awaiting = self.project().awaiting;
        loop {
            let next = match awaiting.as_mut().project() {
                AwaitingProjection::Token { token, pending } => {
                    let outcome = token.as_mut().poll(cx);
                    let outcome = match pending {
                        Some(waiting) => waiting.deadline.bound(cx, outcome, Awaited::Token),
                        None => outcome.map(Ok),
                    };
                    let (outcome, pending) = (ready!(outcome)?, pending.take());
                    match outcome {
                        Ok(attempt) => Awaiting::Readiness {
                            attempt: Some(attempt),
                            pending,
                        },
                        Err(error) => {
                            return Poll::Ready(Err(PendingRequest::failed(pending, error)));
                        }
                    }
                }
                AwaitingProjection::Readiness { attempt, pending } => {
                    if let Some(pending) = pending {
                        let readiness = pending.service.poll_ready(cx);
                        let deadline = &mut pending.deadline;
                        ready!(deadline.bound(cx, readiness, Awaited::Readiness))?
                            .map_err(Into::into)?;
                    }
                    match (attempt.take(), pending.take()) {
                        (Some(attempt), Some(pending)) => Awaiting::send_pending(attempt, pending)?,
                        // not reached: both are taken when the request is sent, which ends this state
                        _ => return Poll::Pending,
                    }
                }
                AwaitingProjection::PassedThrough { response, unlisted } => {
                    let outcome = ready!(response.poll(cx)).map_err(Into::into);
                    return Poll::Ready(outcome.and_then(|response| {
                        if let Some(unlisted) = unlisted {
                            unlisted.check(&response)?;
                        }
                        Ok(ResponseBody::wrap(response, None))
                    }));
                }
                AwaitingProjection::Response { response, sent } => {
                    let response = ready!(response.poll(cx)).map_err(Into::into)?;
                    let classified = match sent.take() {
                        Some(sent) => sent.classify(&response),
                        None => Classified::Deliver(None),
                    };
                    match classified {
                        Classified::Deliver(status) => {
                            return Poll::Ready(Ok(ResponseBody::wrap(response, status)));
                        }
                        Classified::DeliverAfter(replacement) => Awaiting::Delivery {
                            replacement,
                            response: Some(Box::new(response)),
                        },
                        Classified::Replay(token, replay) => Awaiting::Replacement {
                            token,
                            rejected: Some(Box::new(RejectedRequest { response, replay })),
                        },
                    }
                }
                AwaitingProjection::Delivery {
                    replacement,
                    response,
                } => {
                    ready!(replacement.as_mut().poll(cx));
                    let Some(response) = response.take() else {
                        // not reached: the response is taken when this state ends
                        return Poll::Pending;
                    };
                    return Poll::Ready(Ok(ResponseBody::wrap(*response, None)));
                }
                AwaitingProjection::Replacement { token, rejected } => {
                    let renewal = token.as_mut().poll(cx);
                    let renewal = match rejected {
                        Some(waiting) => {
                            let deadline = &mut waiting.replay.deadline;
                            deadline.bound(cx, renewal, Awaited::Replacement)
                        }
                        None => renewal.map(Ok),
                    };
                    let renewal = ready!(renewal)?;
                    let Some(rejected) = rejected.take() else {
                        // not reached: the response is taken when this state ends
                        return Poll::Pending;
                    };
                    match rejected.into_replay(renewal) {
                        Ok(pending) => Awaiting::ReplayReadiness {
                            pending: Some(Box::new(pending)),
                        },
                        Err(response) => {
                            return Poll::Ready(Ok(ResponseBody::wrap(response, None)));
                        }
                    }
                }
                AwaitingProjection::ReplayReadiness { pending } => {
                    if let Some(pending) = pending {
                        let readiness = pending.service.poll_ready(cx);
                        let deadline = &mut pending.deadline;
                        ready!(deadline.bound(cx, readiness, Awaited::ReplayReadiness))?
                            .map_err(Into::into)?;
                    }
                    let Some(pending) = pending.take() else {
                        // not reached: the replay is taken when this state ends
                        return Poll::Pending;
                    };
                    match pending.renewal.attempt() {
                        Some(attempt) => Awaiting::send_replay(attempt, *pending)?,
                        None => return Poll::Ready(Err(pending.token_expired())),
                    }
                }
            };
            awaiting.set(next);
        }
    }
}

impl<S, B, R> fmt::Debug for ResponseFuture<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.awaiting {
            Awaiting::Token { .. } => "ResponseFuture::AwaitingToken",
            Awaiting::Readiness { .. } => "ResponseFuture::AwaitingReadiness",
            Awaiting::PassedThrough { .. } | Awaiting::Response { .. } => {
                "ResponseFuture::AwaitingResponse"
            }
            Awaiting::Delivery { .. } | Awaiting::Replacement { .. } => {
                "ResponseFuture::AwaitingReplacement"
            }
            Awaiting::ReplayReadiness { .. } => "ResponseFuture::AwaitingReplayReadiness",
        })
    }
}
