//! A request that is sent with a token, and the verdict about its response.

use std::{fmt, future::Future, pin::Pin};

use http::{HeaderMap, Method, header::AUTHORIZATION};

use super::{
    classify::{Classification, Classifier},
    head::{Redirect, ResponseHead},
    hold::Hold,
    trailing_status::TrailingStatus,
};
use crate::{
    Error,
    cache::{Issued, RejectionKind, Replacing},
};

/// A request that is sent once, with a token.
pub struct Attempt {
    /// `None` if the request waited for its tenant's authorizer, and carries no token.
    token: Option<Issued>,
    classifier: Classifier,
    /// Whether the request may be replayed, if its body can be sent again.
    may_replay: bool,
    /// Whether the request's method is safe (RFC 9110 §9.2.1).
    is_safe: bool,
    /// Whether this is a gRPC request. A gRPC status in the response to another request says nothing.
    is_grpc: bool,
    is_replay: bool,
}

/// The future of [`Decision::Wait`](super::Decision::Wait).
pub type AttemptFuture = Pin<Box<dyn Future<Output = Result<Attempt, Error>> + Send>>;

/// The decision about a response: return it to the caller, or replay the request.
#[must_use]
pub enum Verdict {
    /// Deliver the response to the caller.
    Deliver,
    /// Keep the response until the [`Hold`] ends, and deliver it to the caller then: the API rejected the
    /// token, the request is not replayed, and the next request has another token.
    DeliverAfter(Hold),
    /// Deliver the response to the caller, and report the frames of its body: the status of this
    /// gRPC call is in the trailers. An adapter that sees no trailers drops the value; then the
    /// response is not classified.
    DeliverAndWatch(TrailingStatus),
    /// Keep the response and wait for this future, which may return another token for a replay.
    Renew(RenewalFuture),
}

/// The future of [`Verdict::Renew`]. It takes as long as a token request.
pub type RenewalFuture = Pin<Box<dyn Future<Output = Renewal> + Send>>;

/// The outcome of a token request that a rejection caused.
#[derive(Debug)]
pub struct Renewal {
    replacement: Replacing,
    classifier: Classifier,
    is_grpc: bool,
}

impl Attempt {
    #[inline]
    pub(super) fn new(
        token: Issued,
        classifier: Classifier,
        method: Option<&Method>,
        is_grpc: bool,
    ) -> Self {
        Self {
            token: Some(token),
            classifier,
            may_replay: classifier.permits_replay(method),
            is_safe: method.is_some_and(Method::is_safe),
            is_grpc,
            is_replay: false,
        }
    }

    /// Returns the attempt of a request that waited and is sent unchanged.
    pub(super) fn without_token() -> Self {
        Self {
            token: None,
            classifier: Classifier::default(),
            may_replay: false,
            is_safe: false,
            is_grpc: false,
            is_replay: false,
        }
    }

    /// Sets the request's `Authorization` header.
    #[inline]
    pub fn apply(&self, headers: &mut HeaderMap) {
        let Some(token) = &self.token else { return };
        headers.insert(AUTHORIZATION, token.header().clone());
        if self.is_replay {
            token.replayed();
        }
    }

    /// Returns whether the request may be replayed, so that its head and body are worth keeping.
    #[must_use]
    #[inline]
    pub fn may_replay(&self) -> bool {
        self.may_replay
    }

    /// Returns whether this is a gRPC request, by its content type. Such a request may have a
    /// [`Deadline`](super::Deadline).
    #[must_use]
    #[inline]
    pub fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    /// Returns whether the cache would still hand out the token of this attempt: it has neither
    /// expired nor been replaced. Call this for an attempt that waited, for instance until a
    /// service was ready. `false` if the attempt carries no token: the authorizer then decides that
    /// the request passes through.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.token.as_ref().is_some_and(Issued::is_current)
    }

    /// Classifies the response, and returns what to do with it. `can_replay`: the request's body
    /// can be sent again.
    ///
    /// If the API rejects the token, and the token is still the current one, another token is
    /// requested: for a replay of this request, or for later requests. A gRPC status counts only in
    /// the response to a gRPC request.
    #[inline]
    pub fn classify<'a>(self, response: impl Into<ResponseHead<'a>>, can_replay: bool) -> Verdict {
        let response = response.into();
        let Some(token) = &self.token else {
            return Verdict::Deliver;
        };
        match self
            .classifier
            .classify(&response, token.header(), self.is_grpc)
        {
            Classification::Accepted => token.accepted(),
            Classification::Rejected(kind) => {
                let is_repeatable = self.is_safe || response.redirect == Redirect::None;
                return self.rejected(token, kind, can_replay && is_repeatable);
            }
            Classification::StatusFollows => {
                let token = self.token;
                return token.map_or(Verdict::Deliver, |token| {
                    Verdict::DeliverAndWatch(TrailingStatus::new(token))
                });
            }
            Classification::Unknown => {}
        }
        Verdict::Deliver
    }

    #[cold]
    fn rejected(&self, token: &Issued, kind: RejectionKind, can_replay: bool) -> Verdict {
        let replays = can_replay && self.may_replay;
        let (classifier, is_grpc) = (self.classifier, self.is_grpc);
        match token.rejected(kind, replays) {
            Some(mut replacement) if replays => Verdict::Renew(Box::pin(async move {
                replacement.wait().await;
                Renewal {
                    replacement,
                    classifier,
                    is_grpc,
                }
            })),
            replacement => match replacement.and_then(Hold::until) {
                Some(hold) => Verdict::DeliverAfter(hold),
                None => Verdict::Deliver,
            },
        }
    }
}

impl Renewal {
    /// Returns the attempt of the replay, with the token that is current now. `None` if there is no
    /// other token: return the response to the caller.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt> {
        Some(Attempt {
            token: Some(self.replacement.issued()?),
            classifier: self.classifier,
            may_replay: false,
            is_safe: false,
            is_grpc: self.is_grpc,
            is_replay: true,
        })
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("token", &self.token)
            .field("may_replay", &self.may_replay)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deliver => "Deliver",
            Self::DeliverAfter(_) => "DeliverAfter",
            Self::DeliverAndWatch(_) => "DeliverAndWatch",
            Self::Renew(_) => "Renew",
        })
    }
}
