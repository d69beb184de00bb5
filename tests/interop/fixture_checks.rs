//! Checks of the fixtures without the crates of this workspace: each fixture starts, responds, and follows
//! its control interface. If these tests pass and a test against a fixture fails, the cause is not the
//! fixture.

use anyhow::{Context as _, Result, ensure};
use reqwest::{Response, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tonic::{
    Code, Request, Status,
    transport::{Certificate, Channel, ClientTlsConfig},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::harness::{FaultProxy, GrpcServer, OidcProvider, ca_pem, http_client, keys_dir};

#[tokio::test]
async fn oidc_provider_issues_tokens_that_its_api_accepts() -> Result<()> {
    issues_tokens_that_its_api_accepts(&OidcProvider::start(&[]).await?).await
}

#[tokio::test]
async fn oidc_provider_issues_tokens_under_tls() -> Result<()> {
    let provider = OidcProvider::start_tls(&[]).await?;
    assert!(provider.issuer().starts_with("https://127.0.0.1:"));
    issues_tokens_that_its_api_accepts(&provider).await
}

async fn issues_tokens_that_its_api_accepts(provider: &OidcProvider) -> Result<()> {
    let rejected = http_client()?.get(provider.api()).send().await?;
    assert_eq!(rejected.status(), StatusCode::UNAUTHORIZED);

    let token = token(provider).await?;
    let accepted = http_client()?
        .get(provider.api())
        .bearer_auth(&token)
        .send()
        .await?;
    assert_eq!(accepted.status(), StatusCode::OK);
    let seen: Value = serde_json::from_str(&accepted.text().await?)?;
    assert_eq!(seen["clientId"], "basic-client");

    let stats = provider.stats().await?;
    assert_eq!(stats["token_requests"], 1);
    assert_eq!(stats["token_ok"], 1);
    assert_eq!(stats["api_401"], 1);
    assert_eq!(stats["api_200"], 1);
    Ok(())
}

#[tokio::test]
async fn oidc_provider_reads_its_environment() -> Result<()> {
    let provider = OidcProvider::start(&[("AS_TOKEN_TTL", "77")]).await?;
    let response = request_token(&provider).await?;
    let response: Value = serde_json::from_str(&response.text().await?)?;
    assert_eq!(response["expires_in"], 77);
    Ok(())
}

#[tokio::test]
async fn oidc_provider_fails_as_configured() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let token = token(&provider).await?;
    provider.reset_stats().await?;

    provider
        .faults(json!({ "fail_next": 1, "fail_status": 429, "retry_after": 7, "revoke_all": true }))
        .await?;
    let failed = request_token(&provider).await?;
    assert_eq!(failed.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(failed.headers()["retry-after"], "7");
    let revoked = http_client()?
        .get(provider.api())
        .bearer_auth(token)
        .send()
        .await?;
    assert_eq!(revoked.status(), StatusCode::UNAUTHORIZED);

    provider.faults(json!({ "drop_next": 1 })).await?;
    request_token(&provider)
        .await
        .expect_err("the connection is cut");
    assert_eq!(
        request_token(&provider).await?.status(),
        StatusCode::OK,
        "one fault for each request"
    );

    let stats = provider.stats().await?;
    assert_eq!(stats["token_requests"], 3);
    assert_eq!(stats["token_error"], 2);
    assert_eq!(stats["token_ok"], 1);
    Ok(())
}

#[tokio::test]
async fn grpcio_introspects_tokens_at_the_authorization_server() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    accepts_only_tokens_of(&provider, &server).await
}

#[tokio::test]
async fn grpc_js_introspects_tokens_at_the_authorization_server() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::node_asking(&provider).await?;
    accepts_only_tokens_of(&provider, &server).await
}

async fn accepts_only_tokens_of(provider: &OidcProvider, server: &GrpcServer) -> Result<()> {
    let channel = Channel::from_shared(server.uri().to_owned())?
        .connect()
        .await?;

    let missing = rejected(check(&channel, None).await)?;
    assert_eq!(challenge(&missing), Some("Bearer"));
    let unknown = rejected(check(&channel, Some("junk")).await)?;
    assert_eq!(challenge(&unknown), Some(r#"Bearer error="invalid_token""#));
    check(&channel, Some(&token(provider).await?)).await?;

    let stats = server.stats().await?;
    assert_eq!(stats["calls"], 3);
    assert_eq!(stats["unauthenticated"], 2);
    Ok(())
}

#[tokio::test]
async fn grpcio_accepts_the_configured_tokens() -> Result<()> {
    accepts_the_configured_tokens(&GrpcServer::python(&[("GRPC_TOKENS", "old")]).await?).await
}

#[tokio::test]
async fn grpc_js_accepts_the_configured_tokens() -> Result<()> {
    accepts_the_configured_tokens(&GrpcServer::node(&[("GRPC_TOKENS", "old")]).await?).await
}

async fn accepts_the_configured_tokens(server: &GrpcServer) -> Result<()> {
    let channel = Channel::from_shared(server.uri().to_owned())?
        .connect()
        .await?;
    check(&channel, Some("old")).await?;
    server.accept_only(&["new"]).await?;
    rejected(check(&channel, Some("old")).await)?;
    check(&channel, Some("new")).await?;
    server.reject_next(1).await?;
    rejected(check(&channel, Some("new")).await)?;
    check(&channel, Some("new")).await?;
    let seen = &server.stats().await?["tokens_seen"];
    assert_eq!(*seen, json!(["old", "new", "new"]));
    Ok(())
}

#[tokio::test]
async fn grpc_servers_speak_tls() -> Result<()> {
    let keys = keys_dir()?;
    let environment = [("GRPC_TLS", keys.to_str().context("the path is not UTF-8")?)];
    for server in [
        GrpcServer::python(&environment).await?,
        GrpcServer::node(&environment).await?,
    ] {
        assert!(server.uri().starts_with("https://"), "{}", server.uri());
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca_pem()?));
        let channel = Channel::from_shared(server.uri().to_owned())?
            .tls_config(tls)?
            .connect()
            .await?;
        check(&channel, Some("good-token")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn fault_proxy_breaks_connections_as_configured() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let proxy = FaultProxy::start(provider.issuer()).await?;
    let url = format!("http://{}/api/echo", proxy.authority());

    proxy.next(&["reset"]).await?;
    http_client()?
        .get(&url)
        .send()
        .await
        .expect_err("the connection is reset");

    let client = http_client()?;
    client.get(&url).send().await?.bytes().await?;
    let stats = proxy.stats().await?;
    assert_eq!(stats["seen"], json!(["reset", "pass"]));
    assert_eq!(stats["live"], 1, "the client keeps its connection open");

    proxy.kill().await?;
    assert_eq!(proxy.stats().await?["live"], 0);
    Ok(())
}

#[tokio::test]
async fn a_misspelt_fault_is_an_error() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let outcome = provider.faults(json!({ "fail_nxt": 1 })).await;
    let error = outcome.expect_err("there is no such fault").to_string();
    assert!(error.contains("fail_nxt: expected one of"), "{error}");

    let proxy = FaultProxy::start(provider.issuer()).await?;
    let outcome = proxy.next(&["rest"]).await;
    let error = outcome.expect_err("there is no such fault").to_string();
    assert!(error.contains("rest: expected one of"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_fixture_that_cannot_start_reports_the_reason() {
    let error = OidcProvider::start_tls(&[("AS_KEYS_DIR", "/no/such/directory")])
        .await
        .expect_err("there are no certificates")
        .to_string();
    for part in [
        "server.mjs",
        "exit status: 1",
        "/no/such/directory/server.key",
    ] {
        assert!(error.contains(part), "{part:?} is not in: {error}");
    }
}

async fn token(provider: &OidcProvider) -> Result<String> {
    let body = request_token(provider).await?.text().await?;
    let body: Value = serde_json::from_str(&body)?;
    let token = body["access_token"]
        .as_str()
        .with_context(|| format!("no access_token in {body}"))?;
    Ok(token.to_owned())
}

async fn request_token(provider: &OidcProvider) -> Result<Response> {
    let response = http_client()?
        .post(provider.token_endpoint())
        .basic_auth("basic-client", Some("basic-secret"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials&scope=document_read")
        .send()
        .await?;
    Ok(response)
}

async fn check(channel: &Channel, token: Option<&str>) -> Result<(), Status> {
    let mut request = Request::new(HealthCheckRequest::default());
    if let Some(token) = token {
        let header = format!("Bearer {token}")
            .parse()
            .map_err(|_| Status::internal("the token is no header value"))?;
        request.metadata_mut().insert("authorization", header);
    }
    HealthClient::new(channel.clone())
        .check(request)
        .await
        .map(drop)
}

fn rejected(outcome: Result<(), Status>) -> Result<Status> {
    let status = outcome
        .err()
        .context("the call should have been rejected")?;
    ensure!(status.code() == Code::Unauthenticated, "got {status}");
    Ok(status)
}

fn challenge(status: &Status) -> Option<&str> {
    status.metadata().get("www-authenticate")?.to_str().ok()
}
