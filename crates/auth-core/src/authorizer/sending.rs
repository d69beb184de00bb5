//! The rules for one sending of a request.

use http::Method;

use super::classify::Classifier;

/// The rules for one sending of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sending {
    pub(super) classifier: Classifier,
    /// Whether the request may be sent again, if its body can be.
    pub(super) may_replay: bool,
    /// Whether the request's method is safe (RFC 9110 §9.2.1).
    pub(super) is_safe: bool,
    /// Whether this is a gRPC request. A gRPC status in the response to another request says nothing.
    pub(super) is_grpc: bool,
    pub(super) replay: ReplayState,
}

/// The replay of a request after a rejection. There is no second one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ReplayState {
    /// The API has not rejected the request's token.
    NotNeeded,
    /// This sending is the replay.
    IsReplay,
    /// This sending repeats the replay, for a nonce.
    IsRepetition,
}

impl Sending {
    /// Returns the rules for the first sending.
    #[inline]
    pub(super) fn first(classifier: Classifier, method: Option<&Method>, is_grpc: bool) -> Self {
        Self {
            classifier,
            may_replay: classifier.permits_replay(method),
            is_safe: method.is_some_and(Method::is_safe),
            is_grpc,
            replay: ReplayState::NotNeeded,
        }
    }
}
