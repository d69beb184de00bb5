//! The gRPC services behind a protected API.

mod bytes_codec;
mod echo_client;
mod echo_service;

use http::{Request, Response};
use http_body_util::BodyExt;
use tonic::{Status, codegen::Service, server::NamedService};
use tonic_health::{
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};

pub use self::{bytes_codec::BytesCodec, echo_client::EchoClient};
use crate::{loopback::Body, recorder::RecordedBody};

/// `grpc.health.v1.Health` and `auth.testing.Echo`.
pub(crate) struct GrpcServices {
    health: HealthServer<HealthService>,
}

impl Default for GrpcServices {
    fn default() -> Self {
        let health = HealthService::from_health_reporter(HealthReporter::new());
        Self {
            health: HealthServer::new(health),
        }
    }
}

impl GrpcServices {
    pub(crate) async fn call(&self, request: Request<RecordedBody>) -> Response<Body> {
        let path = request.uri().path();
        let service = path.split('/').nth(1).unwrap_or_default();
        let response = if service == HealthServer::<HealthService>::NAME {
            let Ok(response) = self.health.clone().call(request).await;
            response
        } else {
            match echo_service::Shape::of(path) {
                Some(shape) => shape.call(request).await,
                None => Status::unimplemented("no such method").into_http(),
            }
        };
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }
}
