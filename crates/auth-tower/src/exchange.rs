//! What a request leaves behind on its way: before it is sent, while it is, and when it is refused.

use auth_core::{Attempt, Authorizer, BoxError, Error};
use http::{Request, request::Parts};
use tower_service::Service;

use crate::Replay;

/// A request that waits, without its token. It is boxed, so that the future of one that need not
/// wait is no larger for it.
pub(crate) struct Unsent<S, B, R> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) authorizer: Authorizer,
    pub(crate) replay: R,
}

impl<S, B, R> Unsent<S, B, R> {
    pub(crate) fn failed(unsent: Option<Box<Self>>, error: Error) -> BoxError {
        #[cfg(feature = "tonic")]
        if let Some(unsent) = unsent {
            return crate::tonic::unsent(error, (&unsent.request).into());
        }
        drop(unsent);
        error.into()
    }
}

/// What is known of a request that is on its way.
pub(crate) struct Sent<S, B, R: Replay<B>> {
    pub(crate) attempt: Attempt,
    pub(crate) again: Option<Again<S, B, R>>,
}

/// What a second sending takes.
pub(crate) struct Again<S, B, R: Replay<B>> {
    /// A clone, and so not ready yet.
    pub(crate) service: S,
    /// As the caller made it, without our token.
    head: Parts,
    kept: R::Kept,
}

/// The response to come, and what is known of its request.
type SentAgain<S, B, R> = (<S as Service<Request<B>>>::Future, Sent<S, B, R>);

/// A request whose token was refused.
pub(crate) struct Refused<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    /// Kept until the request is sent again: if it cannot be, the caller gets this.
    pub(crate) response: S::Response,
    pub(crate) again: Again<S, B, R>,
}

impl<S, B, R> Again<S, B, R>
where
    S: Clone,
    R: Replay<B>,
{
    /// Whether `R` ever keeps anything: whether its `Kept` can exist. If not, no request need be
    /// taken apart.
    pub(crate) const IS_POSSIBLE: bool = size_of::<Option<R::Kept>>() > 0;

    /// The request as it is to be sent, and what sending it again will take, if that can be had.
    pub(crate) fn keep(request: Request<B>, service: &S, replay: &R) -> (Request<B>, Option<Self>) {
        let (head, body) = request.into_parts();
        let (body, kept) = replay.arm(body);
        let again = kept.map(|kept| Self {
            service: service.clone(),
            head: head.clone(),
            kept,
        });
        (Request::from_parts(head, body), again)
    }
}

impl<S, B, R: Replay<B>> Sent<S, B, R> {
    pub(crate) fn can_replay(&self) -> bool {
        let again = self.again.as_ref();
        again.is_some_and(|again| R::is_whole(&again.kept))
    }
}

impl<S, B, R> Refused<S, B, R>
where
    S: Service<Request<B>>,
    R: Replay<B>,
{
    /// Sends the request again by the service, which is ready; or gives the response back, if
    /// there is no attempt or no body to do so.
    pub(crate) fn replay(
        self,
        attempt: Option<Attempt>,
    ) -> Result<SentAgain<S, B, R>, S::Response> {
        let Again {
            mut service,
            head,
            kept,
        } = self.again;
        let Some(attempt) = attempt else {
            return Err(self.response);
        };
        let Some(body) = R::again(kept) else {
            return Err(self.response);
        };
        let mut request = Request::from_parts(head, body);
        attempt.apply(request.headers_mut());
        let sent = Sent {
            attempt,
            again: None,
        };
        Ok((service.call(request), sent))
    }
}
