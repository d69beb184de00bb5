//! The requirements of a recording on a boxed body. Another body fits into the box, so that the client
//! sees the same type. The error type can state that the replay has taken the body.

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
    /// Boxes the body first, because `tonic::body::Body` stores an `UnsyncBoxBody` unchanged and puts a
    /// second box around every other body.
    fn wrap(body: B) -> Self {
        Self::new(UnsyncBoxBody::new(body))
    }
}

const REASON: &str = "the replay sends the rest of this body, with another token";

/// The error type of a boxed body.
pub(super) trait BodyError: Sized + 'static {
    /// Creates the error of an attempt whose body the replay has taken. `None` if the type has no value
    /// for it.
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
