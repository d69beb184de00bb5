//! What a request leaves behind on its way: before it is sent, while it is, and when it is refused.

use std::sync::Arc;

use auth_core::{
    BoxError, Error, ErrorKind,
    adapter::{Attempt, Renewal, RenewalFuture, Verdict},
};
use http::{Request, Response, request::Parts};
use tower_service::Service;

use crate::{Replay, shared::Shared};

/// A request that waits, without its token. It is boxed, so that the future of one that need not
/// wait is no larger for it.
pub(crate) struct Unsent<S, B, R> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) shared: Arc<Shared<S, R>>,
}

impl<S, B, R> Unsent<S, B, R> {
    pub(crate) fn failed(unsent: Option<Box<Self>>, error: Error) -> BoxError {
        match unsent {
            Some(unsent) => not_sent(error, &unsent.request),
            None => error.into(),
        }
    }
}

/// What is known of a request that is on its way.
pub(crate) struct Sent<S, B, R: Replay<B>> {
    pub(crate) attempt: Attempt,
    /// Boxed, and so are the others here, so that the future is small where nothing is kept.
    pub(crate) again: Option<Box<Again<S, B, R>>>,
}

/// A second sending that depends on another token.
type Renewing<S, B, R> = (RenewalFuture, Box<Again<S, B, R>>);

/// What a second sending takes.
pub(crate) struct Again<S, B, R: Replay<B>> {
    shared: Arc<Shared<S, R>>,
    /// As the caller made it, without our token.
    head: Parts,
    kept: R::Kept,
}

/// A request whose token was refused.
pub(crate) struct Refused<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    /// Kept until the request can be sent again: if it cannot, the caller gets this.
    pub(crate) response: S::Response,
    pub(crate) again: Box<Again<S, B, R>>,
}

impl<S, B, R: Replay<B>> Again<S, B, R> {
    /// Whether `R` ever keeps anything: whether its `Kept` can exist.
    const IS_KEPT: bool = size_of::<Option<R::Kept>>() > 0;

    /// Whether there is anything to [`keep`](Self::keep). If not, no request need be taken apart.
    #[inline]
    pub(crate) fn is_possible(attempt: &Attempt) -> bool {
        Self::IS_KEPT && attempt.may_replay()
    }

    /// The request as it is to be sent, and what sending it again will take, if that can be had.
    pub(crate) fn keep(
        request: Request<B>,
        shared: &Arc<Shared<S, R>>,
    ) -> (Request<B>, Option<Box<Self>>) {
        let (head, body) = request.into_parts();
        let (body, kept) = shared.replay.arm(body);
        let again = kept.map(|kept| {
            Box::new(Self {
                shared: Arc::clone(shared),
                head: head.clone(),
                kept,
            })
        });
        (Request::from_parts(head, body), again)
    }
}

impl<S, B, R: Replay<B>> Sent<S, B, R> {
    /// What to wait for before the request is sent again; `None`: the response is to be delivered.
    #[inline]
    pub(crate) fn judge<Out>(self, response: &Response<Out>) -> Option<Renewing<S, B, R>> {
        let again = self.again.as_ref();
        let can_replay = again.is_some_and(|again| R::is_whole(&again.kept));
        match self.attempt.classify(response, can_replay) {
            Verdict::Renew(waiting) => Some((waiting, self.again?)),
            Verdict::Deliver => None,
        }
    }
}

impl<S, B, R> Refused<S, B, R>
where
    S: Service<Request<B>> + Clone,
    R: Replay<B>,
{
    /// The request, to be sent again; or the response, if that is not possible.
    ///
    /// The response goes before anybody waits for the service: it may hold what that waits for.
    pub(crate) fn again(self, renewal: Renewal) -> Result<UnsentAgain<S, B>, S::Response> {
        let Again { shared, head, kept } = *self.again;
        if renewal.attempt().is_none() {
            return Err(self.response);
        }
        match R::again(kept) {
            Some(body) => Ok(UnsentAgain {
                request: Request::from_parts(head, body),
                service: shared.service(),
                renewal,
            }),
            None => Err(self.response),
        }
    }
}

/// A request that waits to be sent again.
pub(crate) struct UnsentAgain<S, B> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) renewal: Renewal,
}

impl<S, B> UnsentAgain<S, B> {
    /// Getting ready took longer than the token lived.
    pub(crate) fn too_late(&self) -> BoxError {
        let error = Error::new(
            ErrorKind::Timeout,
            "the token for the second sending ended before the service was ready",
        );
        not_sent(error, &self.request)
    }
}

/// The error for a request that is not sent.
fn not_sent<B>(error: Error, request: &Request<B>) -> BoxError {
    #[cfg(feature = "tonic")]
    return crate::tonic::unsent(error, request.into());
    #[cfg(not(feature = "tonic"))]
    {
        let _ = request;
        error.into()
    }
}
