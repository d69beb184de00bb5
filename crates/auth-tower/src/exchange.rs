//! The parts of a request that are kept at each stage: before it is sent, while the response is awaited, after
//! the API rejected its token, and before its replay.

use std::sync::{Arc, Mutex, PoisonError};

use auth_core::{
    Authorizer, BoxError, Error, ErrorKind,
    adapter::{
        Attempt, PassedThrough, Passing, Renewal, RenewalFuture, ReplacementFuture, TrailingStatus,
        Verdict,
    },
};
use auth_replay::Replay;
use http::{Request, Response, request::Parts};
use tower_service::Service;

use crate::{deadline::CallDeadline, error::not_sent};

/// The state that all clones of a client share. Each of its requests keeps it alive, so that the
/// tokens outlive a client that is dropped while its last request is in flight.
///
/// One handle to all of it costs a request less than a clone of the service, which is needed only
/// when the API rejects a token. The state has cache lines of its own, apart from the reference
/// count: reading it stays cheap while other threads clone handles.
#[repr(align(128))]
pub(crate) struct ClientState<S, R> {
    pub(crate) authorizer: Authorizer,
    pub(crate) replay: R,
    /// Never driven to readiness, so it holds no permit. Locked only to be cloned.
    unready_service: Mutex<S>,
}

impl<S, R> ClientState<S, R> {
    pub(crate) fn new(authorizer: Authorizer, replay: R, unready_service: S) -> Arc<Self> {
        Arc::new(Self {
            authorizer,
            replay,
            unready_service: Mutex::new(unready_service),
        })
    }
}

impl<S: Clone, R> ClientState<S, R> {
    /// Returns a clone of the inner service that is not ready yet.
    fn service(&self) -> S {
        let service = self.unready_service.lock();
        service.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A request that is in flight without a token, to an unlisted origin.
pub(crate) struct UnlistedRequest<S, R> {
    passed: PassedThrough,
    client: Arc<ClientState<S, R>>,
}

impl<S, R> UnlistedRequest<S, R> {
    /// Returns the parts of a request that the check of its response needs. `None` if no response needs
    /// the check.
    pub(crate) fn of<B>(
        request: &Request<B>,
        passing: Passing,
        client: &Arc<ClientState<S, R>>,
    ) -> Option<Self> {
        Some(Self {
            passed: client.authorizer.passed_through(passing, request)?,
            client: Arc::clone(client),
        })
    }

    /// Returns an error for a redirect that must not become a request with a token.
    pub(crate) fn check<Out>(&self, response: &Response<Out>) -> Result<(), Error> {
        self.passed.check(&self.client.authorizer, response)
    }
}

/// A request that waits for its token. Boxed by the future, which therefore is no larger for requests
/// that need not wait.
pub(crate) struct PendingRequest<S, B, R> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) client: Arc<ClientState<S, R>>,
    pub(crate) deadline: CallDeadline,
}

impl<S, B, R> PendingRequest<S, B, R> {
    pub(crate) fn failed(pending: Option<Box<Self>>, error: Error) -> BoxError {
        match pending {
            Some(pending) => not_sent(error, &pending.request),
            None => error.into(),
        }
    }
}

/// The kept parts of a request whose response is awaited.
pub(crate) struct SentRequest<S, B, R: Replay<B>> {
    pub(crate) attempt: Attempt,
    /// Boxed, so that the future is small where no replay is possible.
    pub(crate) replay: Option<Box<PreparedReplay<S, B, R>>>,
    /// The deadline of a gRPC call for which no replay is possible.
    pub(crate) deadline: Option<Box<CallDeadline>>,
}

/// The decision about a response.
pub(crate) enum Classified<S, B, R: Replay<B>> {
    /// Deliver the response. Its body reports the status in its trailers, if there is one.
    Deliver(Option<TrailingStatus>),
    /// Keep the response until this future completes, and deliver it then.
    DeliverAfter(ReplacementFuture),
    /// Keep the response, and await another token for the replay.
    Replay(RenewalFuture, Box<PreparedReplay<S, B, R>>),
}

/// The parts of a request that its replay needs.
pub(crate) struct PreparedReplay<S, B, R: Replay<B>> {
    client: Arc<ClientState<S, R>>,
    /// The head as the caller created it, without the layer's token.
    head: Parts,
    recording: R::Recording,
    pub(crate) deadline: CallDeadline,
}

impl<S, B, R: Replay<B>> PreparedReplay<S, B, R> {
    /// Whether `R` ever records a body: whether its `Recording` has values.
    const IS_RECORDED: bool = size_of::<Option<R::Recording>>() > 0;

    /// Returns whether [`prepare`](Self::prepare) may prepare a replay. If not, the request need not
    /// be taken apart.
    #[inline]
    pub(crate) fn is_possible(attempt: &Attempt) -> bool {
        Self::IS_RECORDED && attempt.may_replay()
    }

    /// Returns the request to send, and its replay if the body can be recorded.
    pub(crate) fn prepare(
        request: Request<B>,
        client: &Arc<ClientState<S, R>>,
    ) -> (Request<B>, Option<Box<Self>>) {
        let (head, body) = request.into_parts();
        let (body, recording) = client.replay.record(body);
        let replay = recording.map(|recording| {
            let (method, uri, headers) = (&head.method, &head.uri, &head.headers);
            Box::new(Self {
                deadline: CallDeadline::of_head(method, uri, headers, &client.authorizer),
                client: Arc::clone(client),
                head: head.clone(),
                recording,
            })
        });
        (Request::from_parts(head, body), replay)
    }
}

impl<S, B, R: Replay<B>> SentRequest<S, B, R> {
    /// Returns whether to deliver the response, or to replay the request.
    #[inline]
    pub(crate) fn classify<Out>(self, response: &Response<Out>) -> Classified<S, B, R> {
        let replay = self.replay.as_ref();
        let can_replay = replay.is_some_and(|replay| R::is_replayable(&replay.recording));
        match self.attempt.classify(response, can_replay) {
            Verdict::Renew(token) => match self.replay {
                Some(replay) => Classified::Replay(token, replay),
                None => Classified::Deliver(None),
            },
            Verdict::Deliver => Classified::Deliver(None),
            Verdict::DeliverAfter(hold) => {
                let deadline = call_deadline(&self.replay, &self.deadline);
                Classified::DeliverAfter(hold.until_replaced(deadline.and_then(CallDeadline::get)))
            }
            Verdict::DeliverAndWatch(status) => {
                Classified::Deliver(Some(match call_deadline(&self.replay, &self.deadline) {
                    Some(deadline) => deadline.bound_trailers(status),
                    None => status,
                }))
            }
        }
    }
}

/// Returns the deadline of a call, which is kept with its replay if there is one.
fn call_deadline<'a, S, B, R: Replay<B>>(
    replay: &'a Option<Box<PreparedReplay<S, B, R>>>,
    deadline: &'a Option<Box<CallDeadline>>,
) -> Option<&'a CallDeadline> {
    match replay {
        Some(replay) => Some(&replay.deadline),
        None => deadline.as_deref(),
    }
}

/// A request whose token the API rejected.
pub(crate) struct RejectedRequest<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    /// Kept until the request can be replayed, and delivered to the caller if it cannot.
    pub(crate) response: S::Response,
    pub(crate) replay: Box<PreparedReplay<S, B, R>>,
}

impl<S, B, R> RejectedRequest<S, B, R>
where
    S: Service<Request<B>> + Clone,
    R: Replay<B>,
{
    /// Returns the replay, or the response if there is no other token or no body.
    ///
    /// Drops the response before the replay waits for the service's readiness: the response may hold
    /// the permit or the connection that the service needs.
    pub(crate) fn into_replay(self, renewal: Renewal) -> Result<PendingReplay<S, B>, S::Response> {
        let PreparedReplay {
            client,
            head,
            recording,
            deadline,
        } = *self.replay;
        if renewal.attempt().is_none() {
            return Err(self.response);
        }
        match R::replay(recording) {
            Some(body) => Ok(PendingReplay {
                request: Request::from_parts(head, body),
                service: client.service(),
                renewal,
                deadline,
            }),
            None => Err(self.response),
        }
    }
}

/// A replay that waits for the service's readiness.
pub(crate) struct PendingReplay<S, B> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) renewal: Renewal,
    pub(crate) deadline: CallDeadline,
}

impl<S, B> PendingReplay<S, B> {
    /// Returns the error for a replay whose token expired before the service was ready.
    pub(crate) fn token_expired(&self) -> BoxError {
        let error = Error::new(
            ErrorKind::Timeout,
            "the API rejected the token, and the token for the replay expired \
             before the service was ready",
        );
        not_sent(error, &self.request)
    }
}
