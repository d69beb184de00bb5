//! The destination of a connection, as far as it does not depend on the URIs of its requests.

use std::fmt;

use http::Uri;

use crate::origin::{Allowed, Target};

/// The destination of an authorizer's connection, if it does not follow from its requests' URIs
/// (tonic's `Channel`).
#[derive(Clone)]
pub(super) enum Channel {
    /// An allowed origin; which one is not known.
    Trusted,
    /// This origin of the authorizer's own list.
    Allowed(Allowed),
    /// This endpoint, which each tenant's authorizer checks.
    To(Uri),
}

/// Leaves out user information, which may be secret.
impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted => f.write_str("Trusted"),
            Self::Allowed(origin) => f.debug_tuple("Allowed").field(origin).finish(),
            Self::To(uri) => f.debug_tuple("To").field(&Target::from(uri)).finish(),
        }
    }
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
