//! A `TokenRequest` in the extensions of a request picks its token, on each stack.

mod rejections;
mod sharing;

use auth_core::{Authorizer, Error, TokenRequest};
use auth_test_support::{
    Deployment, get, hyper_clients::hyper_client, reqwest_clients::reqwest_with,
};
use auth_testing::ProtectedApi;
use auth_tower::AuthLayer;
use http::{StatusCode, header::AUTHORIZATION};
use tonic::{Code, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{Layer, ServiceExt};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stack {
    Hyper,
    Tonic,
    Reqwest,
}

pub(crate) const ALL: [Stack; 3] = [Stack::Hyper, Stack::Tonic, Stack::Reqwest];

impl Stack {
    /// Returns whether the API accepts a request with the token of `picked`, or with the default token.
    pub(crate) async fn ask(
        self,
        api: &ProtectedApi,
        authorizer: &Authorizer,
        picked: Option<TokenRequest>,
    ) -> bool {
        match self {
            Self::Hyper => {
                let mut request = get(api.url());
                request.extensions_mut().extend(extensions(picked));
                let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
                client.oneshot(request).await.unwrap().status() == StatusCode::OK
            }
            Self::Tonic => {
                let endpoint = Endpoint::from_shared(api.url()).unwrap();
                let layer = AuthLayer::for_endpoint(&endpoint, authorizer.clone()).unwrap();
                let mut health = HealthClient::new(layer.layer(endpoint.connect_lazy()));
                let mut request = tonic::Request::new(HealthCheckRequest::default());
                request.extensions_mut().extend(extensions(picked));
                match health.check(request).await.map_err(|status| status.code()) {
                    Ok(_) => true,
                    Err(Code::PermissionDenied | Code::Unauthenticated) => false,
                    Err(code) => panic!("{code}"),
                }
            }
            Self::Reqwest => {
                let mut request = reqwest_with(authorizer.clone()).get(api.url());
                request.extensions().extend(extensions(picked));
                request.send().await.unwrap().status() == StatusCode::OK
            }
        }
    }

    /// Returns the error of a request that is not sent.
    pub(crate) async fn declined(
        self,
        api: &ProtectedApi,
        authorizer: &Authorizer,
        picked: Option<TokenRequest>,
    ) -> Error {
        match self {
            Self::Hyper => {
                let mut request = get(api.url());
                request.extensions_mut().extend(extensions(picked));
                let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
                let error = client.oneshot(request).await.unwrap_err();
                Error::find(&*error).unwrap().clone()
            }
            Self::Tonic => {
                let endpoint = Endpoint::from_shared(api.url()).unwrap();
                let layer = AuthLayer::for_endpoint(&endpoint, authorizer.clone()).unwrap();
                let mut health = HealthClient::new(layer.layer(endpoint.connect_lazy()));
                let mut request = tonic::Request::new(HealthCheckRequest::default());
                request.extensions_mut().extend(extensions(picked));
                let status = health.check(request).await.unwrap_err();
                Error::find(&status).unwrap().clone()
            }
            Self::Reqwest => {
                let mut request = reqwest_with(authorizer.clone()).get(api.url());
                request.extensions().extend(extensions(picked));
                let error = request.send().await.unwrap_err();
                Error::find(&error).unwrap().clone()
            }
        }
    }
}

fn extensions(picked: Option<TokenRequest>) -> http::Extensions {
    let mut extensions = http::Extensions::new();
    if let Some(picked) = picked {
        extensions.insert(picked);
    }
    extensions
}

fn scope(scope: &str) -> TokenRequest {
    TokenRequest::builder().scope(scope).build().unwrap()
}

/// Returns the token of the last request to the API.
pub(crate) fn last_token(deployment: &Deployment) -> String {
    let requests = deployment.api.requests();
    let header = &requests.last().unwrap().headers()[AUTHORIZATION];
    let token = header.to_str().unwrap().strip_prefix("Bearer ");
    token.unwrap().to_owned()
}
