//! What the decision about a request that passes through says about the check of its response.

/// What an authorizer found about a request that is [sent
/// unchanged](super::Decision::PassThrough): whether the response needs a check, and of which kind.
///
/// [`Authorizer::passed_through`](crate::Authorizer::passed_through) takes it, so that the request is
/// examined once. An adapter whose client follows no redirect outside of it drops the value.
#[derive(Clone, Copy, Debug)]
pub struct Passing(pub(super) ResponseCheck);

/// The check that the response to a request without a token needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ResponseCheck {
    /// None: the request goes to an allowed origin, or every origin is allowed.
    Unneeded,
    /// The request goes to an unlisted origin, or to one that is not known.
    Unlisted,
    /// The tenants of the request and of its hops decide.
    ByTenant,
}

impl Passing {
    pub(super) const BY_TENANT: Self = Self(ResponseCheck::ByTenant);
}
