//! The gRPC services of a protected API.

use http::{Request, Response};
use http_body_util::BodyExt;
use tonic::{Status, codegen::Service, server::NamedService};
use tonic_health::{
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};

use super::echo_service::EchoMethod;
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
            match EchoMethod::at(path) {
                Some(method) => method.call(request).await,
                None => Status::unimplemented("this method does not exist: expected one of grpc.health.v1.Health or auth.testing.Echo").into_http(),
            }
        };
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }
}
