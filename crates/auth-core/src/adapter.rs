//! The interface for adapters of HTTP clients: the decision about a request, and the verdict about
//! its response.
//!
//! An adapter asks [`Authorizer::authorize`](crate::Authorizer::authorize) for a [`Decision`] about
//! each request, applies the [`Attempt`] to it, and has the response
//! [classified](Attempt::classify). If the [`Verdict`] is [`Renew`](Verdict::Renew), the adapter
//! waits for the [`Renewal`], and replays the request once with [`Renewal::attempt`]. If it is
//! [`DeliverAfter`](Verdict::DeliverAfter), the adapter holds the response until the [`Hold`] ends. If it is
//! [`DeliverAndWatch`](Verdict::DeliverAndWatch), the adapter reports the frames of the response's
//! body to the [`TrailingStatus`]. A [`Deadline`] bounds all of this by the time that the caller allows.
//!
//! If the decision is [`PassThrough`](Decision::PassThrough), and a client outside the adapter may
//! follow redirects, the adapter passes the [`Passing`] of that decision to
//! [`Authorizer::passed_through`](crate::Authorizer::passed_through), keeps what that returns, and
//! [checks](PassedThrough::check) the response with it.

pub use crate::{
    authorizer::{
        Attempt, AttemptFuture, Deadline, Decision, Hold, PassedThrough, Passing, Redirect,
        Renewal, RenewalFuture, ReplacementFuture, RequestHead, ResponseHead, TrailingStatus,
        Verdict,
    },
    origin::Target,
};
