//! The number of requests and of token requests.

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{
    harness::{GrpcServer, OidcProvider},
    run_call::call_json,
};

#[tokio::test]
async fn two_hundred_requests_fifty_at_a_time_make_one_token_request() -> Result<()> {
    for stack in ["hyper", "reqwest"] {
        let provider = OidcProvider::start(&[]).await?;
        let load = ["-n", "200", "-c", "50", "--stack", stack];
        let run = call_json(&provider, &load, &provider.api()).await?;
        assert_eq!(run.code, 0, "{}", run.stderr);
        let result = run.json()?;
        assert_eq!(result["requests"], 200);
        assert_eq!(result["ok"], 200);
        assert_eq!(result["statuses"], json!({ "200": 200 }));
        assert_eq!(result["token_requests"], 1);
        assert_eq!(result["token_errors"], 0);
        assert_eq!(result["replays"], 0);
        assert_eq!(result["errors"], json!({}));
        assert!(result["latency_us"]["p99"].is_u64() && result["elapsed_ms"].is_u64());
        let stats = provider.stats().await?;
        assert_eq!(
            (&stats["token_requests"], &stats["api_200"]),
            (&1.into(), &200.into())
        );
    }
    Ok(())
}

#[tokio::test]
async fn requests_with_proofs_of_a_key_make_one_token_request() -> Result<()> {
    for (stack, dpop) in [("hyper", "--dpop"), ("reqwest", "--dpop=EdDSA")] {
        let provider = OidcProvider::start(&[]).await?;
        let load = [dpop, "-n", "20", "-c", "5", "--stack", stack];
        let run = call_json(&provider, &load, &provider.api()).await?;
        assert_eq!(run.code, 0, "{}", run.stderr);
        let result = run.json()?;
        assert_eq!(result["statuses"], json!({ "200": 20 }), "{result}");
        assert_eq!(result["token_requests"], 1);
    }
    Ok(())
}

#[tokio::test]
async fn tonic_calls_the_health_service_of_grpcio() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let server = GrpcServer::python_asking(&provider).await?;
    let load = ["-n", "20", "-c", "5", "--stack", "tonic"];
    let run = call_json(&provider, &load, server.uri()).await?;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let result = run.json()?;
    assert_eq!(result["grpc_statuses"], json!({ "OK": 20 }));
    assert_eq!(result["token_requests"], 1);
    assert_eq!(server.stats().await?["unauthenticated"], 0);
    Ok(())
}

#[tokio::test]
async fn it_sends_the_requested_count_at_the_requested_rate() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let request = ["-X", "PUT", "-d", "hello", "-H", "x-one: 1"];
    let load = ["--duration", "1s", "--rate", "20", "-c", "4"];
    let more = [request, load].concat();
    let run = call_json(&provider, &more, &provider.api()).await?;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let requests = run.json()?["requests"].as_u64().context("no count")?;
    assert!((15..=21).contains(&requests), "{requests}");
    Ok(())
}
