//! A request that is sent with a token, and the verdict about its response.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::{HeaderMap, Method, header::AUTHORIZATION};

use super::{
    classify::{Classification, Classifier},
    head::{Redirect, ResponseHead},
    hold::Hold,
    next_sending::{NextProof, NextSending, NextToken},
    proof::Proof,
    sending::{ReplayState, Sending},
    trailing_status::TrailingStatus,
};
use crate::{
    Error,
    cache::{Issued, RejectionKind},
};

/// A request that is sent once, with a token.
pub struct Attempt {
    /// `None` if the request waited for its tenant's authorizer, and carries no token.
    token: Option<Issued>,
    /// `None` for a bearer token.
    proof: Option<Arc<Proof>>,
    sending: Sending,
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
    /// Keep the response and wait for this future, which may return another token or another proof for a
    /// replay. Classify the response of the replay as well.
    Renew(RenewalFuture),
}

/// The future of [`Verdict::Renew`]. It takes as long as a token request, or as a proof.
pub type RenewalFuture = Pin<Box<dyn Future<Output = Renewal> + Send>>;

/// The outcome of a [`RenewalFuture`]: another token after a rejection, or another proof after the API
/// demanded a nonce in it.
#[derive(Debug)]
pub struct Renewal {
    next: NextSending,
    sending: Sending,
}

impl Attempt {
    #[inline]
    pub(super) fn new(
        token: Issued,
        classifier: Classifier,
        method: Option<&Method>,
        is_grpc: bool,
    ) -> Self {
        Self::of(token, None, Sending::first(classifier, method, is_grpc))
    }

    #[inline]
    pub(super) fn of(token: Issued, proof: Option<Arc<Proof>>, sending: Sending) -> Self {
        Self {
            token: Some(token),
            proof,
            sending,
        }
    }

    /// Returns the attempt of a request that waited and is sent unchanged.
    pub(super) fn without_token() -> Self {
        Self {
            token: None,
            proof: None,
            sending: Sending {
                classifier: Classifier::default(),
                may_replay: false,
                is_safe: false,
                is_grpc: false,
                replay: ReplayState::NotNeeded,
            },
        }
    }

    /// Sets the request's `Authorization` header and, if the token is bound to a key, its `DPoP` header.
    #[inline]
    pub fn apply(&self, headers: &mut HeaderMap) {
        let Some(token) = &self.token else { return };
        headers.insert(AUTHORIZATION, token.header().clone());
        if let Some(proof) = &self.proof {
            proof.apply(headers);
        }
        if self.sending.replay == ReplayState::IsReplay {
            token.replayed();
        }
    }

    /// Returns whether the request carries a proof, which is valid for the URL of the request alone
    /// ([RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)). A client that follows
    /// redirects below the adapter must then follow none, since it would repeat the proof.
    #[must_use]
    #[inline]
    pub fn has_proof(&self) -> bool {
        self.proof.is_some()
    }

    /// Returns whether the request may be replayed, so that its head and body are worth keeping.
    #[must_use]
    #[inline]
    pub fn may_replay(&self) -> bool {
        self.sending.may_replay
    }

    /// Returns whether this is a gRPC request, by its content type. Such a request may have a
    /// [`Deadline`](super::Deadline).
    #[must_use]
    #[inline]
    pub fn is_grpc(&self) -> bool {
        self.sending.is_grpc
    }

    /// Returns whether the cache would still hand out the token of this attempt: it has neither
    /// expired nor been replaced. `false` as well if its proof is more than 5 s old, or lacks a nonce that
    /// the API has sent meanwhile. Call this for an attempt that waited, for instance until a service was
    /// ready. `false` if the attempt carries no token: the authorizer then decides that the request passes
    /// through.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let Some(token) = &self.token else {
            return false;
        };
        let proof = self.proof.as_ref();
        token.is_current() && proof.is_none_or(|proof| proof.is_recent(token))
    }

    /// Classifies the response, and returns what to do with it. `can_replay`: the request's body
    /// can be sent again.
    ///
    /// If the API rejects the token, and the token is still the current one, another token is
    /// requested: for a replay of this request, or for later requests. If it demands a nonce in the proof
    /// (`use_dpop_nonce`), the request is repeated with the same token and another proof. A request is
    /// repeated at most twice for a nonce, and replayed at most once after a rejection. A gRPC status
    /// counts only in the response to a gRPC request.
    #[inline]
    pub fn classify<'a>(self, response: impl Into<ResponseHead<'a>>, can_replay: bool) -> Verdict {
        let response = response.into();
        let Some(token) = &self.token else {
            return Verdict::Deliver;
        };
        if let Some(proof) = &self.proof {
            proof.learn(&response);
        }
        let Sending {
            classifier,
            is_grpc,
            ..
        } = self.sending;
        match classifier.classify(&response, token.header(), is_grpc) {
            Classification::Accepted => token.accepted(),
            Classification::Rejected(kind) => {
                return self.rejected(token, kind, can_replay && self.is_repeatable(&response));
            }
            Classification::StatusFollows => {
                let (token, proof) = (self.token, self.proof);
                return token.map_or(Verdict::Deliver, |token| {
                    Verdict::DeliverAndWatch(TrailingStatus::new(token, proof))
                });
            }
            Classification::NonceDemanded => {
                return self.nonce_demanded(token, can_replay && self.is_repeatable(&response));
            }
            Classification::Unknown => {}
        }
        Verdict::Deliver
    }

    /// Returns whether the API has not carried the request out, or may carry it out twice.
    fn is_repeatable(&self, response: &ResponseHead<'_>) -> bool {
        self.sending.is_safe || response.redirect == Redirect::None
    }

    #[cold]
    fn rejected(&self, token: &Issued, kind: RejectionKind, can_replay: bool) -> Verdict {
        let Sending {
            may_replay, replay, ..
        } = self.sending;
        let replays = can_replay && may_replay && replay == ReplayState::NotNeeded;
        let proof = self.proof.as_deref();
        let proof = proof.map(|proof| NextProof::after(proof, proof.repetitions_left));
        let sending = Sending {
            // again, if the API demands a nonce in the proof of the replay
            may_replay: proof
                .as_ref()
                .is_some_and(|proof| proof.repetitions_left > 0),
            replay: ReplayState::IsReplay,
            ..self.sending
        };
        match token.rejected(kind, replays) {
            Some(mut replacement) if replays => Verdict::Renew(Box::pin(async move {
                replacement.wait().await;
                let next = NextSending::new(NextToken::Replacement(replacement), proof).await;
                Renewal { next, sending }
            })),
            replacement => match replacement.and_then(Hold::until) {
                Some(hold) => Verdict::DeliverAfter(hold),
                None => Verdict::Deliver,
            },
        }
    }

    #[cold]
    fn nonce_demanded(&self, token: &Issued, can_replay: bool) -> Verdict {
        let can_replay = can_replay && self.sending.may_replay;
        let proof = self.proof.as_deref();
        let Some(proof) = proof.filter(|proof| can_replay && proof.lacks_nonce()) else {
            return Verdict::Deliver;
        };
        let Some(repetitions_left) = proof.repetitions_left.checked_sub(1) else {
            return Verdict::Deliver;
        };
        let proof = NextProof::after(proof, repetitions_left);
        let replay = match self.sending.replay {
            ReplayState::NotNeeded => ReplayState::NotNeeded,
            ReplayState::IsReplay | ReplayState::IsRepetition => ReplayState::IsRepetition,
        };
        let sending = Sending {
            may_replay: repetitions_left > 0 || replay == ReplayState::NotNeeded,
            replay,
            ..self.sending
        };
        let token = NextToken::Current(token.clone());
        Verdict::Renew(Box::pin(async move {
            let next = NextSending::new(token, Some(proof)).await;
            Renewal { next, sending }
        }))
    }
}

impl Renewal {
    /// Returns the attempt of the replay, with the token that is current now. `None` if there is no
    /// other token, or no proof for it: return the response to the caller.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt> {
        let (token, proof) = self.next.token_and_proof()?;
        Some(Attempt::of(token, proof, self.sending))
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("token", &self.token)
            .field("may_replay", &self.sending.may_replay)
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
