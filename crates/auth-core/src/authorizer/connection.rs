//! What is known of a connection, apart from its requests' URIs.

use http::Uri;

use crate::origin::Allowed;

/// Where an authorizer's connection goes, if that is known and need not be taken from the URIs of
/// its requests.
#[derive(Clone, Debug)]
pub(super) enum Channel {
    /// To an allowed origin; which one is not known.
    Trusted,
    /// To this origin of the authorizer's own list.
    Allowed(Allowed),
    /// To this endpoint, which each tenant's authorizer checks.
    To(Uri),
}

/// What is known of the connection of one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Connection {
    /// It goes where the request's URI says, unless the client is one that connects elsewhere.
    ByUri,
    /// It goes to an allowed origin; which one is not known.
    Trusted,
    /// It goes to this allowed origin.
    To(Allowed),
}
