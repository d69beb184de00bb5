//! A target that outlives the URI it was read from.

use http::uri::Authority;

use super::{Destination, Place, Target};
use crate::origin::scheme::Scheme;

/// A [`Target`] that owns its parts.
#[derive(Clone, Debug)]
pub(crate) struct OwnedTarget {
    destination: Option<(Scheme, OwnedPlace)>,
    is_certain: bool,
}

#[derive(Clone, Debug)]
enum OwnedPlace {
    Authority(Authority),
    Parts { host: String, port: Option<u16> },
}

impl From<Target<'_>> for OwnedTarget {
    fn from(target: Target<'_>) -> Self {
        let destination = target.destination.map(|destination| {
            let place = match destination.place {
                Place::Authority(authority) => OwnedPlace::Authority(authority.clone()),
                Place::Parts { host, port } => OwnedPlace::Parts {
                    host: host.to_owned(),
                    port,
                },
            };
            (destination.scheme, place)
        });
        Self {
            destination,
            is_certain: target.is_certain,
        }
    }
}

impl OwnedTarget {
    pub(crate) fn as_target(&self) -> Target<'_> {
        let destination = self
            .destination
            .as_ref()
            .map(|(scheme, place)| Destination {
                scheme: *scheme,
                place: match place {
                    OwnedPlace::Authority(authority) => Place::Authority(authority),
                    OwnedPlace::Parts { host, port } => Place::Parts { host, port: *port },
                },
            });
        Target {
            destination,
            is_certain: self.is_certain,
        }
    }
}
