//! What recording asks of a boxed body: that another body fits into the box, so that the client sees
//! the same type, and that its error can say why the first attempt lost its body.

use std::{convert::Infallible, error::Error, io};

use bytes::Bytes;
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// A box that a body of type `B` fits into.
pub(super) trait Wrap<B> {
    fn wrap(body: B) -> Self;
}

impl<B, E> Wrap<B> for BoxBody<Bytes, E>
where
    B: Body<Data = Bytes, Error = E> + Send + Sync + 'static,
{
    fn wrap(body: B) -> Self {
        Self::new(body)
    }
}

impl<B, E> Wrap<B> for UnsyncBoxBody<Bytes, E>
where
    B: Body<Data = Bytes, Error = E> + Send + 'static,
{
    fn wrap(body: B) -> Self {
        Self::new(body)
    }
}

#[cfg(feature = "tonic")]
impl<B> Wrap<B> for tonic::body::Body
where
    B: Body<Data = Bytes, Error = tonic::Status> + Send + 'static,
{
    /// `tonic::body::Body` takes an `UnsyncBoxBody` as it is, and puts a second box around anything
    /// else.
    fn wrap(body: B) -> Self {
        Self::new(UnsyncBoxBody::new(body))
    }
}

const REASON: &str = "the replay sends the rest of this body, with another token";

/// The error type of a boxed body.
pub(super) trait BodyError: Sized + 'static {
    /// Makes the error with which an attempt ends that lost its body to the replay. `None` if the
    /// type has no value for it.
    const TAKEN_BY_REPLAY: Option<fn() -> Self> = None;
}

impl BodyError for io::Error {
    const TAKEN_BY_REPLAY: Option<fn() -> Self> = Some(|| Self::other(REASON));
}

impl BodyError for BoxError {
    const TAKEN_BY_REPLAY: Option<fn() -> Self> = Some(|| REASON.into());
}

#[cfg(feature = "tonic")]
impl BodyError for tonic::Status {
    const TAKEN_BY_REPLAY: Option<fn() -> Self> = Some(|| Self::cancelled(REASON));
}

impl BodyError for Infallible {}

impl BodyError for hyper::Error {}
