//! The client of `auth.testing.Echo`.

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
    bytes_codec::BytesCodec,
    echo_service::{BIDI, CLIENT_STREAM, SERVER_STREAM, UNARY},
};

/// A client of `auth.testing.Echo`, a service of every [`ProtectedApi`](crate::ProtectedApi) with
/// methods of all four kinds. It works on a tonic channel, or on a tower service around one.
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
    /// Creates a client that sends its calls through `channel`.
    pub fn new(channel: T) -> Self {
        Self {
            grpc: Grpc::new(channel),
        }
    }

    /// Sends one message, and returns the message of the response, which is the same.
    ///
    /// # Errors
    /// The status of the call if it is not `OK`; `UNKNOWN` if the channel failed before the call.
    pub async fn unary(&mut self, message: impl Into<Bytes>) -> Result<Response<Bytes>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static(UNARY);
        let request = message.into().into_request();
        self.grpc.unary(request, path, BytesCodec).await
    }

    /// Sends one message, and receives it three times.
    ///
    /// # Errors
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

    /// Sends messages, and returns their concatenation, which the server sends after the last one.
    ///
    /// # Errors
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

    /// Sends messages, and receives each as soon as the server has received it.
    ///
    /// # Errors
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
