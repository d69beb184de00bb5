//! The service `auth.testing.Echo`.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};
use http::Response as HttpResponse;
use tonic::{Request, Response, Status, Streaming, body::Body, codegen::Service, server::Grpc};

use super::bytes_codec::BytesCodec;
use crate::recorder::RecordedBody;

pub(super) const UNARY: &str = "/auth.testing.Echo/Unary";
pub(super) const SERVER_STREAM: &str = "/auth.testing.Echo/ServerStream";
pub(super) const CLIENT_STREAM: &str = "/auth.testing.Echo/ClientStream";
pub(super) const BIDI: &str = "/auth.testing.Echo/Bidi";

/// The number of times a server stream repeats the message.
const ECHOES: usize = 3;

/// The methods of the service: one of each of the four kinds.
#[derive(Clone, Copy, Debug)]
pub(super) enum EchoMethod {
    Unary,
    ServerStream,
    ClientStream,
    Bidi,
}

impl EchoMethod {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            UNARY => Some(Self::Unary),
            SERVER_STREAM => Some(Self::ServerStream),
            CLIENT_STREAM => Some(Self::ClientStream),
            BIDI => Some(Self::Bidi),
            _ => None,
        }
    }

    pub(super) async fn call(self, request: http::Request<RecordedBody>) -> HttpResponse<Body> {
        let mut grpc = Grpc::new(BytesCodec);
        match self {
            Self::Unary => grpc.unary(ServiceFn(unary), request).await,
            Self::ServerStream => {
                grpc.server_streaming(ServiceFn(server_stream), request)
                    .await
            }
            Self::ClientStream => {
                grpc.client_streaming(ServiceFn(client_stream), request)
                    .await
            }
            Self::Bidi => grpc.streaming(ServiceFn(bidi), request).await,
        }
    }
}

async fn unary(request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    Ok(Response::new(request.into_inner()))
}

async fn server_stream(
    request: Request<Bytes>,
) -> Result<Response<BoxStream<'static, Result<Bytes, Status>>>, Status> {
    let echoes = std::iter::repeat_n(request.into_inner(), ECHOES);
    Ok(Response::new(stream::iter(echoes.map(Ok)).boxed()))
}

async fn client_stream(request: Request<Streaming<Bytes>>) -> Result<Response<Bytes>, Status> {
    let mut messages = request.into_inner();
    let mut all = BytesMut::new();
    while let Some(message) = messages.message().await? {
        all.extend_from_slice(&message);
    }
    Ok(Response::new(all.freeze()))
}

async fn bidi(request: Request<Streaming<Bytes>>) -> Result<Response<Streaming<Bytes>>, Status> {
    Ok(Response::new(request.into_inner()))
}

/// Makes a function the service that tonic expects.
struct ServiceFn<F>(F);

impl<F, R, M, A> Service<Request<R>> for ServiceFn<F>
where
    F: FnMut(Request<R>) -> A,
    A: Future<Output = Result<Response<M>, Status>> + Send + 'static,
{
    type Response = Response<M>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<M>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        Box::pin((self.0)(request))
    }
}
