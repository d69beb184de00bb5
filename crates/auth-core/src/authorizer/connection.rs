//! The destination of a connection, as far as it does not depend on the URIs of its requests.

use http::Uri;

use crate::origin::Allowed;

/// The destination of an authorizer's connection, if it does not follow from its requests' URIs
/// (tonic's `Channel`).
#[derive(Clone, Debug)]
pub(super) enum Channel {
    /// An allowed origin; which one is not known.
    Trusted,
    /// This origin of the authorizer's own list.
    Allowed(Allowed),
    /// This endpoint, which each tenant's authorizer checks.
    To(Uri),
}

/// The destination of one request's connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Connection {
    /// The origin that the request's URI names, unless the client connects elsewhere.
    ByUri,
    /// An allowed origin; which one is not known.
    Trusted,
    /// This allowed origin.
    To(Allowed),
}
