//! A request's head that outlives the request's borrow.

use http::{Extensions, HeaderMap, Method};

use super::head::RequestHead;
use crate::origin::OwnedTarget;

/// The parts of a request that decide about its token and its proof. They outlive the request.
#[derive(Clone, Debug)]
pub(super) struct OwnedHead {
    target: OwnedTarget,
    path: Option<Box<str>>,
    headers: HeaderMap,
    method: Option<Method>,
    extensions: Option<Extensions>,
}

impl From<&RequestHead<'_>> for OwnedHead {
    fn from(head: &RequestHead<'_>) -> Self {
        Self {
            target: OwnedTarget::from(head.target),
            path: head.target.path().map(Into::into),
            headers: head.headers.clone(),
            method: head.method.cloned(),
            extensions: head.extensions.cloned(),
        }
    }
}

impl OwnedHead {
    pub(super) fn as_head(&self) -> RequestHead<'_> {
        let target = self.target.as_target();
        RequestHead {
            target: match &self.path {
                Some(path) => target.with_path(path),
                None => target,
            },
            headers: &self.headers,
            method: self.method.as_ref(),
            extensions: self.extensions.as_ref(),
        }
    }
}
