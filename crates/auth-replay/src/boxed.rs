//! Bodies behind a box: two that differ inside look the same to the client.

use std::{convert::Infallible, io};

use crate::BoxError;
use bytes::Bytes;
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};

use crate::{playback::Playback, recording::Recording};

pub(super) trait Boxed: Body<Data = Bytes> + Default + Send + Unpin + 'static {
    fn first(body: Recording<Self>) -> Self;

    fn second(body: Playback<Self>) -> Self;

    /// Whether an error can be made for an attempt that lost its body to the replay.
    const CAN_BE_CUT_SHORT: bool;

    /// That error.
    fn cut_short() -> Option<Self::Error>;
}

impl<E: CutShort> Boxed for BoxBody<Bytes, E> {
    fn first(body: Recording<Self>) -> Self {
        Self::new(body)
    }

    fn second(body: Playback<Self>) -> Self {
        Self::new(body)
    }

    const CAN_BE_CUT_SHORT: bool = E::POSSIBLE;

    fn cut_short() -> Option<E> {
        E::cut_short()
    }
}

impl<E: CutShort> Boxed for UnsyncBoxBody<Bytes, E> {
    fn first(body: Recording<Self>) -> Self {
        Self::new(body)
    }

    fn second(body: Playback<Self>) -> Self {
        Self::new(body)
    }

    const CAN_BE_CUT_SHORT: bool = E::POSSIBLE;

    fn cut_short() -> Option<E> {
        E::cut_short()
    }
}

/// It takes an unsync box as it is; around anything else it would put one more layer.
#[cfg(feature = "tonic")]
impl Boxed for tonic::body::Body {
    fn first(body: Recording<Self>) -> Self {
        Self::new(UnsyncBoxBody::new(body))
    }

    fn second(body: Playback<Self>) -> Self {
        Self::new(UnsyncBoxBody::new(body))
    }

    const CAN_BE_CUT_SHORT: bool = tonic::Status::POSSIBLE;

    fn cut_short() -> Option<tonic::Status> {
        tonic::Status::cut_short()
    }
}

/// An error of bodies.
pub(super) trait CutShort: Sized + 'static {
    const POSSIBLE: bool = true;

    fn cut_short() -> Option<Self>;
}

const REASON: &str = "the rest of this body is sent by a second attempt, with another token";

impl CutShort for io::Error {
    fn cut_short() -> Option<Self> {
        Some(Self::other(REASON))
    }
}

impl CutShort for BoxError {
    fn cut_short() -> Option<Self> {
        Some(REASON.into())
    }
}

#[cfg(feature = "tonic")]
impl CutShort for tonic::Status {
    fn cut_short() -> Option<Self> {
        Some(Self::cancelled(REASON))
    }
}

impl CutShort for Infallible {
    const POSSIBLE: bool = false;

    fn cut_short() -> Option<Self> {
        None
    }
}

impl CutShort for hyper::Error {
    const POSSIBLE: bool = false;

    fn cut_short() -> Option<Self> {
        None
    }
}
