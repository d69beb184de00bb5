//! What a request leaves behind on its way: before it is sent, while it is, and when it is refused.

use auth_core::{Attempt, Authorizer, BoxError, Error, ErrorKind};
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
        match unsent {
            Some(unsent) => not_sent(error, &unsent.request),
            None => error.into(),
        }
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
    /// Keeps the tokens: the client may be dropped while its last request is on its way.
    _authorizer: Authorizer,
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
    pub(crate) fn keep(
        request: Request<B>,
        service: &S,
        replay: &R,
        authorizer: &Authorizer,
    ) -> (Request<B>, Option<Self>) {
        let (head, body) = request.into_parts();
        let (body, kept) = replay.arm(body);
        let again = kept.map(|kept| Self {
            service: service.clone(),
            head: head.clone(),
            _authorizer: authorizer.clone(),
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
    /// The request, to be sent again; or the response, if that is not possible.
    ///
    /// The response goes before anybody waits for the service: it may hold what that waits for.
    pub(crate) fn again(self, is_possible: bool) -> Result<UnsentAgain<S, B>, S::Response> {
        let Again {
            service,
            head,
            kept,
            _authorizer,
        } = self.again;
        if !is_possible {
            return Err(self.response);
        }
        match R::again(kept) {
            Some(body) => Ok(UnsentAgain {
                request: Request::from_parts(head, body),
                service,
            }),
            None => Err(self.response),
        }
    }
}

/// A request that waits to be sent again.
pub(crate) struct UnsentAgain<S, B> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
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
