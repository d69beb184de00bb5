//! Calls of tonic with proofs of DPoP (RFC 9449), which grpcio verifies by `joserfc`, a library of Python.

use std::time::Duration;

use anyhow::{Context as _, Result};
use auth_core::{Authorizer, DpopProver as _, ProofClaims};
use auth_jose::DpopKey;
use http::Method;
use serde_json::{Value, json};
use tonic::{
    Code, Request, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    greeter_client::{
        bidirectional_streaming, client_streaming, four_kinds, greeter_client, server_streaming,
        unary,
    },
    harness::{GrpcServer, OidcProvider, ca_pem, keys_dir},
    stacks::bound_authorizer,
};

/// The path of the method that [`check`] calls.
const CHECK: &str = "/grpc.health.v1.Health/Check";

fn authorizer(provider: &OidcProvider, server: &GrpcServer) -> Result<Authorizer> {
    bound_authorizer(provider, server.uri(), &DpopKey::generate()?)
}

/// Asserts that the server has accepted `accepted` proofs, and rejected no call except for `demanded` nonces.
async fn assert_proofs(server: &GrpcServer, accepted: usize, demanded: usize) -> Result<()> {
    let stats = server.stats().await?;
    assert_eq!(stats["proofs_rejected"], json!([]));
    assert_eq!(stats["proofs_accepted"], accepted);
    assert_eq!(stats["nonces_demanded"], demanded);
    assert_eq!(stats["unauthenticated"], demanded);
    assert_eq!(stats["calls"], accepted + demanded);
    Ok(())
}

#[tokio::test]
async fn four_kinds_of_calls_have_valid_proofs_plain_and_under_tls() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
    let mut client = greeter_client(&endpoint, authorizer(&provider, &server)?)?;
    four_kinds(&mut client).await?;
    assert_proofs(&server, 4, 0).await?;

    let server = GrpcServer::python(&[
        ("GRPC_TLS", &keys_dir()?.to_string_lossy()),
        ("GRPC_INTROSPECT", &provider.introspection_endpoint()),
        ("GRPC_INTROSPECT_AUTH", "resource-server:rs-secret"),
    ])
    .await?;
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca_pem()?));
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?.tls_config(tls)?;
    let mut client = greeter_client(&endpoint, authorizer(&provider, &server)?)?;
    four_kinds(&mut client).await?;
    assert_proofs(&server, 4, 0).await
}

/// The demand is a trailers-only response.
#[tokio::test]
async fn rfc9449_9_each_kind_of_call_is_repeated_for_a_nonce() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
    let mut client = greeter_client(&endpoint, authorizer(&provider, &server)?)?;
    server.demand_nonce("n1").await?;
    unary(&mut client).await?;
    server.demand_nonce("n2").await?;
    client_streaming(&mut client).await?;
    server.demand_nonce("n3").await?;
    server_streaming(&mut client).await?;
    server.demand_nonce("n4").await?;
    bidirectional_streaming(&mut client).await?;
    assert_proofs(&server, 4, 4).await?;
    four_kinds(&mut client).await?;
    assert_proofs(&server, 8, 4).await?;
    assert_eq!(provider.stats().await?["token_requests"], 1);
    Ok(())
}

#[tokio::test]
async fn grpcio_rejects_each_proof_that_is_not_for_the_call() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    let key = DpopKey::generate()?;
    let authorizer = bound_authorizer(&provider, server.uri(), &key)?;
    let token = authorizer.tokens().context("one cache")?.token().await?;
    let token = token.secret();
    let endpoint = Endpoint::from_shared(server.uri().to_owned())?;
    let channel = endpoint.connect().await?;

    let url = format!("{}{CHECK}", server.uri());
    let valid = ProofClaims::new(&Method::POST, &url).with_access_token(token);
    let proof = key.prove(&valid).await?;
    check(&channel, "DPoP", token, &[&proof]).await?;

    let elsewhere = [
        format!("{}{CHECK}", provider.issuer()),
        format!("{}/", server.uri()),
        url.replace("http://", "https://"),
    ];
    let mut invalid = vec![("jti", proof.clone())];
    for url in &elsewhere {
        let claims = ProofClaims::new(&Method::POST, url).with_access_token(token);
        invalid.push(("htu", key.prove(&claims).await?));
    }
    let get = ProofClaims::new(&Method::GET, &url).with_access_token(token);
    invalid.push(("htm", key.prove(&get).await?));
    let other_token = ProofClaims::new(&Method::POST, &url).with_access_token("other");
    invalid.push(("ath", key.prove(&other_token).await?));
    let no_token = ProofClaims::new(&Method::POST, &url);
    invalid.push(("ath", key.prove(&no_token).await?));
    let time = valid.time().saturating_sub(Duration::from_secs(3600));
    let old = ProofClaims::new(&Method::POST, &url).with_access_token(token);
    invalid.push(("iat", key.prove(&old.with_time(time)).await?));
    let other_key = DpopKey::generate()?;
    invalid.push(("thumbprint", other_key.prove(&valid).await?));
    // the claims of one proof and the signature of another one
    let claims = key.prove(&valid).await?;
    let (claims, _) = claims.rsplit_once('.').context("a JWT")?;
    let (_, signature) = proof.rsplit_once('.').context("a JWT")?;
    invalid.push(("signature", format!("{claims}.{signature}")));

    for (part, proof) in &invalid {
        let status = check(&channel, "DPoP", token, &[proof]).await;
        assert_rejected(status, "DPoP error=\"invalid_dpop_proof\"", part);
    }
    for proofs in [&[][..], &[&*proof, &*proof]] {
        let status = check(&channel, "DPoP", token, proofs).await;
        assert_rejected(status, "DPoP error=\"invalid_dpop_proof\"", "one proof");
    }
    let status = check(&channel, "Bearer", token, &[]).await;
    assert_rejected(status, "Bearer error=\"invalid_token\"", "");
    let stats = server.stats().await?;
    let reasons = stats["proofs_rejected"].as_array().map(Vec::len);
    assert_eq!(reasons, Some(invalid.len() + 2), "{stats}");
    assert_eq!(stats["proofs_accepted"], Value::from(1));
    Ok(())
}

/// Makes a call whose headers are set by hand.
async fn check(
    channel: &Channel,
    scheme: &str,
    token: &str,
    proofs: &[&str],
) -> Result<(), Status> {
    let mut request = Request::new(HealthCheckRequest::default());
    let headers = request.metadata_mut();
    headers.insert(
        "authorization",
        format!("{scheme} {token}").parse().unwrap(),
    );
    for proof in proofs {
        headers.append("dpop", proof.parse().unwrap());
    }
    let mut client = HealthClient::new(channel.clone());
    client.check(request).await.map(drop)
}

fn assert_rejected(outcome: Result<(), Status>, challenge: &str, reason: &str) {
    let status = outcome.expect_err(reason);
    assert_eq!(status.code(), Code::Unauthenticated, "{reason}");
    assert!(status.message().contains(reason), "{reason}: {status}");
    assert_eq!(
        status.metadata().get("www-authenticate").unwrap(),
        challenge
    );
}
