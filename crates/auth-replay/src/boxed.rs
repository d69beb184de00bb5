//! Bodies behind a box: two that differ inside look the same to the client.

use bytes::Bytes;
use http_body::Body;
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};

use crate::{cut_short::CutShort, playback::Playback, recording::Recording};

/// A box that both attempts' bodies fit into.
pub(super) trait Boxed:
    Around<Recording<Self>>
    + Around<Playback<Self>>
    + Body<Data = Bytes, Error: CutShort>
    + Default
    + Send
    + Unpin
    + 'static
{
}

impl<E: CutShort> Boxed for BoxBody<Bytes, E> {}

impl<E: CutShort> Boxed for UnsyncBoxBody<Bytes, E> {}

#[cfg(feature = "tonic")]
impl Boxed for tonic::body::Body {}

/// A box, put around a `B`.
pub(super) trait Around<B> {
    fn around(body: B) -> Self;
}

impl<B, E> Around<B> for BoxBody<Bytes, E>
where
    B: Body<Data = Bytes, Error = E> + Send + Sync + 'static,
{
    fn around(body: B) -> Self {
        Self::new(body)
    }
}

impl<B, E> Around<B> for UnsyncBoxBody<Bytes, E>
where
    B: Body<Data = Bytes, Error = E> + Send + 'static,
{
    fn around(body: B) -> Self {
        Self::new(body)
    }
}

#[cfg(feature = "tonic")]
impl<B> Around<B> for tonic::body::Body
where
    B: Body<Data = Bytes, Error = tonic::Status> + Send + 'static,
{
    /// It takes an unsync box as it is; around anything else it would put one more layer.
    fn around(body: B) -> Self {
        Self::new(UnsyncBoxBody::new(body))
    }
}
