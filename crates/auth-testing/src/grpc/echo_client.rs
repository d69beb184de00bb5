//! `auth.testing.Echo` on the client's side.

use bytes::Bytes;
use futures_util::Stream;
use http::uri::PathAndQuery;
use tonic::{
    IntoRequest, IntoStreamingRequest, Response, Status, Streaming,
    body::Body,
    client::{Grpc, GrpcService},
    codegen::{Body as HttpBody, StdError},
};

use super::{
    BytesCodec,
    echo_service::{BIDI, CLIENT_STREAM, SERVER_STREAM, UNARY},
};

/// A client of `auth.testing.Echo`, the service behind every [`ProtectedApi`](crate::ProtectedApi):
/// the four shapes of a gRPC call, on whatever tower service stands where a channel would.
///
/// ```
/// # use auth_testing::EchoClient;
/// # async fn example(channel: tonic::transport::Channel) -> Result<(), tonic::Status> {
/// let mut echo = EchoClient::new(channel);
/// assert_eq!(echo.unary("hello").await?.into_inner(), "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EchoClient<T> {
    grpc: Grpc<T>,
}

impl<T> EchoClient<T>
where
    T: GrpcService<Body>,
    T::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <T::ResponseBody as HttpBody>::Error: Into<StdError> + Send,
{
    /// A client on this channel.
    pub fn new(channel: T) -> Self {
        Self {
            grpc: Grpc::new(channel),
        }
    }

    /// One message, answered by itself.
    ///
    /// # Errors
    ///
    /// The status of the call if it is not `OK`; `UNKNOWN` if the channel is not ready.
    pub async fn unary(&mut self, message: impl Into<Bytes>) -> Result<Response<Bytes>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(UNARY);
        let request = message.into().into_request();
        self.grpc.unary(request, path, BytesCodec).await
    }

    /// One message, answered by itself three times.
    ///
    /// # Errors
    ///
    /// As for [`unary`](Self::unary).
    pub async fn server_stream(
        &mut self,
        message: impl Into<Bytes>,
    ) -> Result<Response<Streaming<Bytes>>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(SERVER_STREAM);
        let request = message.into().into_request();
        self.grpc.server_streaming(request, path, BytesCodec).await
    }

    /// Many messages, answered by all of them joined when the last has come.
    ///
    /// # Errors
    ///
    /// As for [`unary`](Self::unary).
    pub async fn client_stream(
        &mut self,
        messages: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Response<Bytes>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(CLIENT_STREAM);
        let request = messages.into_streaming_request();
        self.grpc.client_streaming(request, path, BytesCodec).await
    }

    /// Many messages, each answered by itself as soon as it comes.
    ///
    /// # Errors
    ///
    /// As for [`unary`](Self::unary).
    pub async fn bidi(
        &mut self,
        messages: impl Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Response<Streaming<Bytes>>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(BIDI);
        let request = messages.into_streaming_request();
        self.grpc.streaming(request, path, BytesCodec).await
    }

    async fn ready(&mut self) -> Result<(), Status> {
        let ready = self.grpc.ready().await;
        ready.map_err(|error| Status::from_error(error.into()))
    }
}
