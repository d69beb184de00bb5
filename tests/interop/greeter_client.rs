//! A client of `fixture.v1.Greeter` (fixtures/grpc/proto), written by hand so that protoc is not needed.

use anyhow::Result;
use auth_core::Authorizer;
use auth_tower::{Auth, AuthLayer};
use futures_util::{StreamExt as _, stream};
use http::uri::PathAndQuery;
use tonic::{
    Request, Status,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tower::Layer as _;

/// A client that puts tokens on its calls.
pub(crate) type Greeter = Grpc<Auth<Channel>>;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HelloRequest {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(int32, tag = "2")]
    pub(crate) count: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct HelloReply {
    #[prost(string, tag = "1")]
    pub(crate) message: String,
    #[prost(string, tag = "2")]
    pub(crate) token: String,
    #[prost(int32, tag = "3")]
    pub(crate) seq: i32,
}

pub(crate) fn hello(name: &str) -> HelloRequest {
    HelloRequest {
        name: name.to_owned(),
        count: 3,
    }
}

pub(crate) fn greeter(method: &'static str) -> PathAndQuery {
    let path = format!("/fixture.v1.Greeter/{method}");
    path.parse().unwrap()
}

pub(crate) fn codec() -> ProstCodec<HelloRequest, HelloReply> {
    ProstCodec::default()
}

/// Returns a client of the server at `endpoint`.
pub(crate) fn greeter_client(endpoint: &Endpoint, authorizer: Authorizer) -> Result<Greeter> {
    let layer = AuthLayer::for_endpoint(endpoint, authorizer)?;
    Ok(Grpc::new(layer.layer(endpoint.connect_lazy())))
}

pub(crate) async fn unary(client: &mut Greeter) -> Result<(), Status> {
    client.ready().await.unwrap();
    let call = client.unary(Request::new(hello("ann")), greeter("SayHello"), codec());
    assert_eq!(call.await?.get_ref().message, "Hello ann");
    Ok(())
}

pub(crate) async fn client_streaming(client: &mut Greeter) -> Result<(), Status> {
    client.ready().await.unwrap();
    let names = Request::new(stream::iter([hello("ann"), hello("bob")]));
    let call = client.client_streaming(names, greeter("CollectHellos"), codec());
    assert_eq!(call.await?.get_ref().message, "Hello ann, bob");
    Ok(())
}

pub(crate) async fn server_streaming(client: &mut Greeter) -> Result<(), Status> {
    client.ready().await.unwrap();
    let call = client.server_streaming(
        Request::new(hello("ann")),
        greeter("SayHelloStream"),
        codec(),
    );
    assert_eq!(call.await?.into_inner().count().await, 3);
    Ok(())
}

pub(crate) async fn bidirectional_streaming(client: &mut Greeter) -> Result<(), Status> {
    client.ready().await.unwrap();
    let names = Request::new(stream::iter([hello("ann"), hello("bob")]));
    let replies = client.streaming(names, greeter("Chat"), codec()).await?;
    let messages = replies.into_inner().map(|reply| reply.unwrap().message);
    let messages: Vec<_> = messages.collect().await;
    assert_eq!(messages, ["Hello ann", "Hello bob"]);
    Ok(())
}

/// Makes a call of each of the four kinds.
pub(crate) async fn four_kinds(client: &mut Greeter) -> Result<(), Status> {
    unary(client).await?;
    client_streaming(client).await?;
    server_streaming(client).await?;
    bidirectional_streaming(client).await
}
