//! A request's head that outlives the request's borrow.

use http::{Extensions, HeaderMap, Method};

use super::head::RequestHead;
use crate::origin::OwnedTarget;

/// The parts of a request that decide about its token. They outlive the request.
#[derive(Clone, Debug)]
pub(super) struct OwnedHead {
    target: OwnedTarget,
    headers: HeaderMap,
    method: Option<Method>,
    extensions: Option<Extensions>,
}

impl From<&RequestHead<'_>> for OwnedHead {
    fn from(head: &RequestHead<'_>) -> Self {
        Self {
            target: OwnedTarget::from(head.target),
            headers: head.headers.clone(),
            method: head.method.cloned(),
            extensions: head.extensions.cloned(),
        }
    }
}

impl OwnedHead {
    pub(super) fn as_head(&self) -> RequestHead<'_> {
        RequestHead {
            target: self.target.as_target(),
            headers: &self.headers,
            method: self.method.as_ref(),
            extensions: self.extensions.as_ref(),
        }
    }
}
