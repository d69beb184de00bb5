//! A client of `fixture.v1.Greeter` (fixtures/grpc/proto), written by hand so that protoc is not needed.

use http::uri::PathAndQuery;
use tonic_prost::ProstCodec;

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
