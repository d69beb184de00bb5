//! One sending of a request with a token, and what its response comes to.

use std::{fmt, future::Future, pin::Pin};

use http::{HeaderMap, Method, header::AUTHORIZATION};

use super::{
    head::ResponseHead,
    terms::{Opinion, Terms},
};
use crate::{
    Error,
    cache::{Issued, Replacing},
    events,
};

/// One sending of a request with a token.
pub struct Attempt {
    token: Issued,
    terms: Terms,
    /// Whether the request may be sent again, if that is possible.
    may_replay: bool,
    /// Whether its method changes nothing.
    is_safe: bool,
    /// Whether it is the second sending.
    is_replay: bool,
}

/// The future of [`Decision::Wait`](super::Decision::Wait).
pub type AttemptFuture = Pin<Box<dyn Future<Output = Result<Attempt, Error>> + Send>>;

/// What to do with a response.
#[must_use]
pub enum Verdict {
    /// Give it to the caller.
    Deliver,
    /// Keep it, and wait for this: there may be another token to send the request again with.
    Renew(RenewalFuture),
}

/// The future of [`Verdict::Renew`]: it takes as long as a token request.
pub type RenewalFuture = Pin<Box<dyn Future<Output = Renewal> + Send>>;

/// The chance to send a request a second time.
#[derive(Debug)]
pub struct Renewal {
    replacement: Replacing,
    terms: Terms,
}

impl Attempt {
    #[inline]
    pub(super) fn new(token: Issued, terms: Terms, method: Option<&Method>) -> Self {
        Self {
            token,
            terms,
            may_replay: terms.permit_replay(method),
            is_safe: method.is_some_and(Method::is_safe),
            is_replay: false,
        }
    }

    /// Puts the token onto the request.
    #[inline]
    pub fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.token.header().clone());
        if self.is_replay {
            self.token.replayed();
        }
    }

    /// Whether it is worth keeping what a second sending takes.
    #[must_use]
    #[inline]
    pub fn may_replay(&self) -> bool {
        self.may_replay
    }

    /// What its response comes to. `can_replay`: the request could be sent again.
    ///
    /// If the API refuses the token, and the token is still the current one, another is requested:
    /// here, or for those who come next.
    #[inline]
    pub fn judge<'a>(self, response: impl Into<ResponseHead<'a>>, can_replay: bool) -> Verdict {
        let response = response.into();
        match self.terms.opinion(&response, self.token.header()) {
            Opinion::Accepted => self.token.accepted(),
            Opinion::Refused => {
                let is_about_this = self.is_safe || !response.was_redirected;
                return self.refused(can_replay && is_about_this);
            }
            Opinion::None => {}
        }
        Verdict::Deliver
    }

    #[cold]
    fn refused(self, can_replay: bool) -> Verdict {
        let replays = can_replay && self.may_replay;
        events::token_rejected(self.token.token().generation(), replays);
        let terms = self.terms;
        match self.token.rejected() {
            Some(mut replacement) if replays => Verdict::Renew(Box::pin(async move {
                replacement.arrive().await;
                Renewal { replacement, terms }
            })),
            _ => Verdict::Deliver,
        }
    }
}

impl Renewal {
    /// The second sending, with the token that is current now. `None`: there is no other token;
    /// give the response to the caller.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt> {
        Some(Attempt {
            token: self.replacement.issued()?,
            terms: self.terms,
            may_replay: false,
            is_safe: false,
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
            Self::Renew(_) => "Renew",
        })
    }
}
