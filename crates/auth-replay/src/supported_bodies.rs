//! The body types that `Bounded` can keep. One layer serves them all, so it recognizes them with
//! `Any`. The comparisons are between constants and cost nothing.

use std::{any::Any, convert::Infallible, io, mem};

use bytes::Bytes;
use http_body::Body;
use http_body_util::{
    Empty, Full,
    combinators::{BoxBody, UnsyncBoxBody},
};

use crate::{
    boxed_body::{BodyError, BoxError},
    recording::{BoxedBody, Recording},
};

/// A body to send and, if it can be replayed, its recording.
type Recorded<B> = (B, Option<Recording<B>>);

/// Returns whether the type of the body is supported, and adds the recording unless the body is known
/// to exceed the bound.
pub(super) fn record<B: 'static>(recorded: &mut Recorded<B>, bound: usize) -> bool {
    by_clone::<Full<Bytes>, B>(recorded, bound)
        || by_clone::<Empty<Bytes>, B>(recorded, bound)
        || by_clone::<String, B>(recorded, bound)
        || boxed::<Infallible, B>(recorded, bound)
        || boxed::<io::Error, B>(recorded, bound)
        || boxed::<BoxError, B>(recorded, bound)
        || boxed::<hyper::Error, B>(recorded, bound)
        || of_tonic(recorded, bound)
}

fn boxed<E: BodyError, B: 'static>(recorded: &mut Recorded<B>, bound: usize) -> bool {
    by_frames::<BoxBody<Bytes, E>, B>(recorded, bound)
        || by_frames::<UnsyncBoxBody<Bytes, E>, B>(recorded, bound)
}

#[cfg(feature = "tonic")]
fn of_tonic<B: 'static>(recorded: &mut Recorded<B>, bound: usize) -> bool {
    by_frames::<tonic::body::Body, B>(recorded, bound) || boxed::<tonic::Status, B>(recorded, bound)
}

#[cfg(not(feature = "tonic"))]
fn of_tonic<B>(_: &mut Recorded<B>, _bound: usize) -> bool {
    false
}

fn by_clone<K, B>(recorded: &mut Recorded<B>, bound: usize) -> bool
where
    K: Body + Clone + 'static,
    B: 'static,
{
    let Some((body, recording)) = (recorded as &mut dyn Any).downcast_mut::<Recorded<K>>() else {
        return false;
    };
    if may_fit(body, bound) {
        *recording = Some(Recording::of_clone(body.clone()));
    }
    true
}

fn by_frames<K: BoxedBody, B: 'static>(recorded: &mut Recorded<B>, bound: usize) -> bool {
    let Some((body, recording)) = (recorded as &mut dyn Any).downcast_mut::<Recorded<K>>() else {
        return false;
    };
    if may_fit(body, bound) {
        // the default is an empty body and allocates nothing
        let (first, frames) = Recording::of_frames(mem::take(body), bound);
        (*body, *recording) = (first, Some(frames));
    }
    true
}

/// False if the body announces a size beyond the bound.
fn may_fit(body: &impl Body, bound: usize) -> bool {
    let size = body.size_hint().exact();
    size.is_none_or(|size| usize::try_from(size).is_ok_and(|size| size <= bound))
}
