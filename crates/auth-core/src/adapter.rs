//! The interface for adapters of HTTP clients: the decision about a request, and the verdict about
//! its response.
//!
//! An adapter asks [`Authorizer::authorize`](crate::Authorizer::authorize) for a [`Decision`] about
//! each request, applies the [`Attempt`] to it, and has the response
//! [classified](Attempt::classify). If the [`Verdict`] is [`Renew`](Verdict::Renew), the adapter
//! waits for the [`Renewal`], and replays the request once with [`Renewal::attempt`]. A [`Deadline`] bounds
//! all of this by the time that the caller allows.

pub use crate::{
    authorizer::{
        Attempt, AttemptFuture, Deadline, Decision, Redirect, Renewal, RenewalFuture, RequestHead,
        ResponseHead, Verdict,
    },
    origin::Target,
};
