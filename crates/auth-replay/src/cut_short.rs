use std::{convert::Infallible, io};

use crate::BoxError;

const REASON: &str = "the rest of this body is sent by a second attempt, with another token";

/// An error of bodies.
pub(super) trait CutShort: Sized + 'static {
    /// Makes the error of an attempt that lost its body to the replay; `None` if there can be none.
    const CUT_SHORT: Option<fn() -> Self> = None;
}

impl CutShort for io::Error {
    const CUT_SHORT: Option<fn() -> Self> = Some(|| Self::other(REASON));
}

impl CutShort for BoxError {
    const CUT_SHORT: Option<fn() -> Self> = Some(|| REASON.into());
}

#[cfg(feature = "tonic")]
impl CutShort for tonic::Status {
    const CUT_SHORT: Option<fn() -> Self> = Some(|| Self::cancelled(REASON));
}

impl CutShort for Infallible {}

impl CutShort for hyper::Error {}
