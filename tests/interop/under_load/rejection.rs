//! Fifty concurrent requests without a rate limit, while tokens are revoked, and while an API rejects every
//! token.

use anyhow::Result;
use serde_json::{Value, json};
use tokio::try_join;

use super::{load, number};
use crate::harness::{GrpcServer, OidcProvider, until};

const AT_A_TIME: u64 = 50;
const REVOCATIONS: u64 = 3;
/// The time between two revocations. Until then the requests of the first revocation have finished, and the
/// API has accepted the new token. A token that no API has accepted is not replaced for 30 s.
const ACCEPTED_BETWEEN: u64 = 20 * AT_A_TIME;

#[tokio::test]
#[ignore = "20 s of load: `cargo xtask test` runs it"]
async fn no_request_fails_by_three_revocations_on_hyper() -> Result<()> {
    no_request_fails_by_three_revocations("hyper").await
}

#[tokio::test]
#[ignore = "20 s of load: `cargo xtask test` runs it"]
async fn no_request_fails_by_three_revocations_on_reqwest() -> Result<()> {
    no_request_fails_by_three_revocations("reqwest").await
}

async fn no_request_fails_by_three_revocations(stack: &str) -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let api = provider.api();
    let accepted = async || number(&provider.stats().await?, "api_200");
    let (result, ()) = try_join!(
        run(stack, "20s", &provider, &api),
        revoke(&provider, accepted)
    )?;
    let stats = provider.stats().await?;
    println!("{result}\n{stats}");

    all_were_healed(&result)?;
    assert_eq!(result["statuses"], json!({ "200": result["requests"] }));
    assert_eq!(stats["api_401"], result["replays"]);
    assert_eq!(stats["token_requests"], result["token_requests"]);
    Ok(())
}

#[tokio::test]
#[ignore = "20 s of load: `cargo xtask test` runs it"]
async fn no_request_fails_by_three_revocations_on_tonic_and_grpcio() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python(&[asking(&provider.introspection_of_the_api())]).await?;
    no_request_fails_by_three_revocations_by_tonic(&provider, &server).await
}

#[tokio::test]
#[ignore = "20 s of load: `cargo xtask test` runs it"]
async fn no_request_fails_by_three_revocations_on_tonic_and_grpc_js() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::node(&[asking(&provider.introspection_of_the_api())]).await?;
    no_request_fails_by_three_revocations_by_tonic(&provider, &server).await
}

fn asking(introspection: &str) -> (&str, &str) {
    ("GRPC_INTROSPECT", introspection)
}

async fn no_request_fails_by_three_revocations_by_tonic(
    provider: &OidcProvider,
    server: &GrpcServer,
) -> Result<()> {
    let accepted = async || {
        let stats = server.stats().await?;
        Ok(number(&stats, "calls")? - number(&stats, "unauthenticated")?)
    };
    let (result, ()) = try_join!(
        run("tonic", "20s", provider, server.uri()),
        revoke(provider, accepted)
    )?;
    println!("{result}");

    all_were_healed(&result)?;
    assert_eq!(result["grpc_statuses"], json!({ "OK": result["requests"] }));
    assert_eq!(server.stats().await?["unauthenticated"], result["replays"]);
    Ok(())
}

async fn revoke(provider: &OidcProvider, accepted: impl AsyncFn() -> Result<u64>) -> Result<()> {
    for _ in 0..REVOCATIONS {
        let enough = accepted().await? + ACCEPTED_BETWEEN;
        until("requests accepted", enough, &accepted).await?;
        provider.faults(json!({ "revoke_all": true })).await?;
    }
    Ok(())
}

fn all_were_healed(result: &Value) -> Result<()> {
    assert_eq!(result["errors"], json!({}), "{result}");
    assert_eq!(result["ok"], result["requests"], "{result}");
    assert_eq!(number(result, "token_requests")?, 1 + REVOCATIONS);
    assert_eq!(number(result, "token_errors")?, 0);
    let replays = number(result, "replays")?;
    assert!(
        (REVOCATIONS..=REVOCATIONS * AT_A_TIME).contains(&replays),
        "{replays}"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "10 s of load: `cargo xtask test` runs it"]
async fn an_api_that_rejects_everything_causes_two_token_requests_on_hyper() -> Result<()> {
    an_api_that_rejects_everything("hyper").await
}

#[tokio::test]
#[ignore = "10 s of load: `cargo xtask test` runs it"]
async fn an_api_that_rejects_everything_causes_two_token_requests_on_reqwest() -> Result<()> {
    an_api_that_rejects_everything("reqwest").await
}

async fn an_api_that_rejects_everything(stack: &str) -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let always = json!({ "api_401_next": 1_000_000_000 });
    provider.faults(always).await?;
    let result = run(stack, "10s", &provider, &provider.api()).await?;
    let stats = provider.stats().await?;
    println!("{result}\n{stats}");

    two_token_requests_and_no_more(&result)?;
    assert_eq!(result["statuses"], json!({ "401": result["requests"] }));
    assert_eq!(
        number(&stats, "api_401")?,
        number(&result, "requests")? + number(&result, "replays")?
    );
    Ok(())
}

#[tokio::test]
#[ignore = "10 s of load: `cargo xtask test` runs it"]
async fn an_api_that_rejects_everything_causes_two_token_requests_on_tonic() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::node(&[("GRPC_TOKENS", "other-token")]).await?;
    let result = run("tonic", "10s", &provider, server.uri()).await?;
    println!("{result}");

    two_token_requests_and_no_more(&result)?;
    let rejected = json!({ "UNAUTHENTICATED": result["requests"] });
    assert_eq!(result["grpc_statuses"], rejected);
    Ok(())
}

fn two_token_requests_and_no_more(result: &Value) -> Result<()> {
    assert_eq!(result["errors"], json!({}), "{result}");
    assert!(number(result, "requests")? > 10 * AT_A_TIME, "{result}");
    assert_eq!(number(result, "token_requests")?, 2);
    assert!((1..=AT_A_TIME).contains(&number(result, "replays")?));
    Ok(())
}

async fn run(stack: &str, duration: &str, provider: &OidcProvider, url: &str) -> Result<Value> {
    let at_a_time = AT_A_TIME.to_string();
    let more = ["--stack", stack, "--duration", duration, "-c", &at_a_time];
    load(provider, &more, url).await
}
