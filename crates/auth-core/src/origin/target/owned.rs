//! A target that outlives the URI it was read from.

use http::uri::Authority;

use super::{Destination, Place, Target};
use crate::origin::scheme::Scheme;

/// A [`Target`] that owns its parts, apart from the path. Small, because futures of adapters contain it: what only targets
/// from parts need is boxed.
#[derive(Clone, Debug)]
pub(crate) enum OwnedTarget {
    Unnamed {
        is_certain: bool,
    },
    /// Shares the text of its URI.
    Authority {
        scheme: Scheme,
        is_certain: bool,
        authority: Authority,
    },
    Parts(Box<Parts>),
}

#[derive(Clone, Debug)]
pub(crate) struct Parts {
    scheme: Scheme,
    is_certain: bool,
    host: String,
    port: Option<u16>,
}

impl From<Target<'_>> for OwnedTarget {
    #[inline]
    fn from(target: Target<'_>) -> Self {
        let is_certain = target.is_certain;
        let Some(Destination { scheme, place }) = target.destination else {
            return Self::Unnamed { is_certain };
        };
        match place {
            Place::Authority(authority) => Self::Authority {
                scheme,
                is_certain,
                authority: authority.clone(),
            },
            Place::Parts { host, port } => Self::Parts(Box::new(Parts {
                scheme,
                is_certain,
                host: host.to_owned(),
                port,
            })),
        }
    }
}

impl OwnedTarget {
    pub(crate) fn as_target(&self) -> Target<'_> {
        let (scheme, is_certain, place) = match self {
            Self::Unnamed { is_certain } => {
                return Target::new(None, *is_certain);
            }
            Self::Authority {
                scheme,
                is_certain,
                authority,
            } => (*scheme, *is_certain, Place::Authority(authority)),
            Self::Parts(parts) => {
                let (host, port) = (parts.host.as_str(), parts.port);
                (parts.scheme, parts.is_certain, Place::Parts { host, port })
            }
        };
        Target::new(Some(Destination { scheme, place }), is_certain)
    }
}
