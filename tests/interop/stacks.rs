//! hyper, tonic and reqwest: from the token endpoint to the protected API.

use anyhow::Result;
use auth_core::{
    Authorizer, ClientAuthentication, ClientCredentials, ClientCredentialsBuilder, TokenCache,
};
use auth_jose::DpopKey;
use auth_reqwest::{AuthMiddleware, ReqwestTransport};
use auth_test_support::certificates::use_ring;
use auth_tower::{Auth, AuthLayer, TowerTransport};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tonic::{
    Code,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower::{Layer as _, ServiceBuilder, ServiceExt as _};

use crate::{
    greeter_client::{four_kinds, greeter_client},
    harness::{GrpcServer, OidcProvider, ca_pem, http_client, keys_dir},
};

/// Returns an authorizer with tokens of `basic-client` for the API at `origin`.
pub(crate) fn authorizer(provider: &OidcProvider, origin: &str) -> Result<Authorizer> {
    let authentication = ClientAuthentication::client_secret_basic("basic-secret");
    let endpoint = provider.token_endpoint();
    let grant = ClientCredentials::builder(endpoint, "basic-client", authentication);
    authorizer_of(grant, origin)
}

/// Returns an authorizer with tokens of `dpop-client`, which are bound to `key`, for the API at `origin`.
pub(crate) fn bound_authorizer(
    provider: &OidcProvider,
    origin: &str,
    key: &DpopKey,
) -> Result<Authorizer> {
    let authentication = ClientAuthentication::client_secret_basic("dpop-secret");
    let endpoint = provider.token_endpoint();
    let grant = ClientCredentials::builder(endpoint, "dpop-client", authentication);
    authorizer_of(grant.dpop(key.clone()), origin)
}

fn authorizer_of(grant: ClientCredentialsBuilder, origin: &str) -> Result<Authorizer> {
    let grant = grant
        .scope("document_read")
        .build(ReqwestTransport::new(reqwest_builder()?)?)?;
    let builder = Authorizer::builder(TokenCache::new(grant));
    Ok(builder.origin(origin).build()?)
}

/// Returns a TLS configuration that trusts the certificates of the fixtures.
fn reqwest_builder() -> Result<reqwest::ClientBuilder> {
    use_ring();
    let ca = reqwest::Certificate::from_pem(ca_pem()?.as_bytes())?;
    Ok(reqwest::Client::builder().no_proxy().tls_certs_only([ca]))
}

#[tokio::test]
async fn hyper() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let authentication = ClientAuthentication::client_secret_basic("basic-secret");
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let grant =
        ClientCredentials::builder(provider.token_endpoint(), "basic-client", authentication)
            .scope("document_read")
            .build(TowerTransport::new(client))?;
    let builder = Authorizer::builder(TokenCache::new(grant));
    let authorizer = builder.origin(provider.issuer()).build()?;

    let api = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let api = ServiceBuilder::new()
        .layer(AuthLayer::new(authorizer))
        .service(api);
    for _ in 0..3 {
        let url = format!("{}?scope=document_read", provider.api());
        let request = Request::get(url).body(Empty::new())?;
        let response = api
            .clone()
            .oneshot(request)
            .await
            .map_err(anyhow::Error::from_boxed)?;
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await?.to_bytes();
        let seen: serde_json::Value = serde_json::from_slice(&body)?;
        assert_eq!(seen["clientId"], "basic-client");
    }
    let stats = provider.stats().await?;
    assert_eq!(
        (&stats["token_requests"], &stats["api_200"]),
        (&1.into(), &3.into())
    );
    Ok(())
}

#[tokio::test]
async fn reqwest_plain_and_under_tls() -> Result<()> {
    for provider in [
        OidcProvider::start(&[]).await?,
        OidcProvider::start_tls(&[]).await?,
    ] {
        let middleware = AuthMiddleware::new(authorizer(&provider, provider.issuer())?);
        let client = reqwest_middleware::ClientBuilder::new(reqwest_builder()?.build()?)
            .with(middleware)
            .build();
        for _ in 0..3 {
            let response = client.post(provider.api()).body("hello").send().await?;
            assert_eq!(response.status(), 200);
            assert!(response.text().await?.contains("hello"));
        }
        assert_eq!(provider.stats().await?["token_requests"], 1);
    }
    Ok(())
}

async fn checked(server: &GrpcServer, endpoint: Endpoint, provider: &OidcProvider) -> Result<()> {
    let layer = AuthLayer::for_endpoint(&endpoint, authorizer(provider, server.uri())?)?;
    let channel: Auth<Channel> = layer.layer(endpoint.connect_lazy());
    let mut health = HealthClient::new(channel);
    for _ in 0..3 {
        health.check(HealthCheckRequest::default()).await?;
    }
    let mut watch = health
        .watch(HealthCheckRequest::default())
        .await?
        .into_inner();
    assert_eq!(watch.message().await?.map(|m| m.status), Some(1), "SERVING");
    assert_eq!(provider.stats().await?["token_requests"], 1);
    assert_eq!(server.stats().await?["unauthenticated"], 0);
    Ok(())
}

#[tokio::test]
async fn tonic_against_grpcio_plain_and_under_tls() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
    checked(&server, endpoint, &provider).await?;

    let provider = OidcProvider::start(&[]).await?;
    let keys = keys_dir()?;
    let server = GrpcServer::python(&[
        ("GRPC_TLS", &keys.to_string_lossy()),
        ("GRPC_INTROSPECT", &provider.introspection_endpoint()),
        ("GRPC_INTROSPECT_AUTH", "resource-server:rs-secret"),
    ])
    .await?;
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca_pem()?));
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?.tls_config(tls)?;
    checked(&server, endpoint, &provider).await
}

#[tokio::test]
async fn tonic_against_grpc_js() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::node_asking(&provider).await?;
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
    checked(&server, endpoint, &provider).await
}

#[tokio::test]
async fn four_kinds_of_grpc_calls_against_grpcio_and_grpc_js() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for server in [
        GrpcServer::python_asking(&provider).await?,
        GrpcServer::node_asking(&provider).await?,
    ] {
        provider.reset_stats().await?;
        let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
        let authorizer = authorizer(&provider, server.uri())?;
        four_kinds(&mut greeter_client(&endpoint, authorizer)?).await?;
        assert_eq!(server.stats().await?["unauthenticated"], 0);
        assert_eq!(provider.stats().await?["token_requests"], 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_layer_that_was_not_built_for_a_channel_sends_no_token_through_it() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
    let layer = AuthLayer::new(authorizer(&provider, server.uri())?);
    let mut health = HealthClient::new(layer.layer(endpoint.connect_lazy()));
    let status = health
        .check(HealthCheckRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(provider.stats().await?["token_requests"], 0);
    Ok(())
}

#[tokio::test]
async fn without_a_token_no_request_is_sent() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    provider
        .faults(serde_json::json!({ "fail_next": 100 }))
        .await?;
    let middleware = AuthMiddleware::new(authorizer(&provider, provider.issuer())?);
    let client = reqwest_middleware::ClientBuilder::new(http_client()?)
        .with(middleware)
        .build();
    let error = client.get(provider.api()).send().await.unwrap_err();
    let reqwest_middleware::Error::Middleware(error) = error else {
        panic!("expected a middleware error, got {error:?}");
    };
    assert!(
        error
            .downcast_ref::<auth_core::Error>()
            .unwrap()
            .is_transient()
    );
    let stats = provider.stats().await?;
    assert_eq!(
        (&stats["api_200"], &stats["api_401"]),
        (&0.into(), &0.into())
    );
    Ok(())
}
