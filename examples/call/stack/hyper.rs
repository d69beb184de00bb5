//! hyper-util's client with `AuthLayer`.

use auth_core::async_trait;
use auth_tower::{Auth, AuthLayer, Bounded, HyperClient, TowerTransport};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tower::{ServiceBuilder, ServiceExt, util::Either};
use tower_http::follow_redirect::{FollowRedirect, FollowRedirectLayer};

use super::{MAX_IDLE, Stack, Tokens};
use crate::{
    args::Args, failure::Failure, response::Response, target::Target, tenants::Tenant, tls::Tls,
};

type HttpClient = HyperClient<HttpsConnector<HttpConnector>>;

struct HyperStack {
    client: Either<FollowRedirect<Auth<HttpClient>>, Auth<HttpClient>>,
    request: Request<Full<Bytes>>,
}

pub(super) fn tenants(
    args: &Args,
    target: &Target,
    tls: &Tls,
    tokens: Tokens<'_>,
) -> anyhow::Result<Vec<Tenant>> {
    let http_client = client(tls);
    let redirects = args.follow_redirects.then(FollowRedirectLayer::new);
    let replay = args
        .max_replay_body
        .map_or_else(Bounded::default, Bounded::new);
    tokens.for_tenants(TowerTransport::new(http_client.clone()), |authorizer| {
        Ok(HyperStack {
            client: ServiceBuilder::new()
                .option_layer(redirects.clone())
                .layer(AuthLayer::new(authorizer).replay(replay.clone()))
                .service(http_client.clone()),
            request: target.request.clone().map(Full::new),
        })
    })
}

#[async_trait]
impl Stack for HyperStack {
    async fn send(&self, whole_body: bool) -> Result<Response, Failure> {
        let response = self.client.clone().oneshot(self.request.clone()).await;
        let response = response.map_err(|e| Failure::new(&*e, "http"))?;
        let mut result = Response::http(response.status(), response.headers(), whole_body);
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| Failure::new(&e, "body"))?;
            result.add(frame.data_ref().map_or(&[], |data| data));
        }
        Ok(result)
    }
}

pub(super) fn client(tls: &Tls) -> HttpClient {
    let mut builder = Client::builder(TokioExecutor::new());
    HyperClient::from_builder(builder.pool_idle_timeout(MAX_IDLE), tls.hyper())
}
