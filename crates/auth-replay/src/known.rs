//! The bodies that can be kept. They are recognised by `Any`, since one layer serves them all; the
//! comparisons are between constants and cost nothing.

use std::{any::Any, convert::Infallible, io, mem};

use bytes::Bytes;
use http_body::Body;
use http_body_util::{
    Empty, Full,
    combinators::{BoxBody, UnsyncBoxBody},
};

use crate::{BoxError, Tape, boxed::Boxed, cut_short::CutShort};

/// A body to send and, where it can be sent again, what that takes.
type Armed<B> = (B, Option<Tape<B>>);

/// Whether the body is a known one. What it takes is kept if its size allows it.
pub(super) fn arm<B: 'static>(armed: &mut Armed<B>, bound: usize) -> bool {
    cloned::<Full<Bytes>, B>(armed, bound)
        || cloned::<Empty<Bytes>, B>(armed, bound)
        || cloned::<String, B>(armed, bound)
        || boxed::<Infallible, B>(armed, bound)
        || boxed::<io::Error, B>(armed, bound)
        || boxed::<BoxError, B>(armed, bound)
        || boxed::<hyper::Error, B>(armed, bound)
        || of_tonic(armed, bound)
}

fn boxed<E: CutShort, B: 'static>(armed: &mut Armed<B>, bound: usize) -> bool {
    recorded::<BoxBody<Bytes, E>, B>(armed, bound)
        || recorded::<UnsyncBoxBody<Bytes, E>, B>(armed, bound)
}

#[cfg(feature = "tonic")]
fn of_tonic<B: 'static>(armed: &mut Armed<B>, bound: usize) -> bool {
    recorded::<tonic::body::Body, B>(armed, bound) || boxed::<tonic::Status, B>(armed, bound)
}

#[cfg(not(feature = "tonic"))]
fn of_tonic<B>(_: &mut Armed<B>, _bound: usize) -> bool {
    false
}

fn cloned<K, B>(armed: &mut Armed<B>, bound: usize) -> bool
where
    K: Body + Clone + 'static,
    B: 'static,
{
    let Some((body, tape)) = (armed as &mut dyn Any).downcast_mut::<Armed<K>>() else {
        return false;
    };
    if fits(body, bound) {
        *tape = Some(Tape::copied(body.clone()));
    }
    true
}

fn recorded<K: Boxed, B: 'static>(armed: &mut Armed<B>, bound: usize) -> bool {
    let Some((body, tape)) = (armed as &mut dyn Any).downcast_mut::<Armed<K>>() else {
        return false;
    };
    if fits(body, bound) {
        // the default is an empty body, and allocates nothing
        let (first, recorded) = Tape::recorded(mem::take(body), bound);
        (*body, *tape) = (first, Some(recorded));
    }
    true
}

/// Unless it is certain to exceed the bound.
fn fits(body: &impl Body, bound: usize) -> bool {
    let size = body.size_hint().exact();
    size.is_none_or(|size| usize::try_from(size).is_ok_and(|size| size <= bound))
}
