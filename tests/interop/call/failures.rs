//! The counts of failed requests.

use anyhow::Result;
use serde_json::json;

use crate::{
    harness::OidcProvider,
    run_call::{call, call_json},
};

#[tokio::test]
async fn a_wrong_secret_causes_one_token_request_and_no_request() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let (token_url, api) = (provider.token_endpoint(), provider.api());
    let client = ["--token-url", &token_url, "--client-id", "basic-client"];
    let load = ["--json", "-n", "20", "-c", "5", &api];
    let run = call("wr0ng", &[&client[..], &load].concat()).await?;
    assert_eq!(run.code, 1);
    let result = run.json()?;
    assert_eq!(
        (&result["requests"], &result["ok"]),
        (&20.into(), &0.into())
    );
    assert_eq!(result["errors"], json!({ "denied": 20 }));
    assert_eq!(
        (&result["token_requests"], &result["token_errors"]),
        (&1.into(), &1.into())
    );
    assert!(!run.stderr.contains("wr0ng") && !run.stdout.contains("wr0ng"));
    let stats = provider.stats().await?;
    assert_eq!(
        (&stats["token_requests"], &stats["api_401"]),
        (&1.into(), &0.into())
    );
    Ok(())
}

#[tokio::test]
async fn rejections_are_counted_by_status() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    let url = format!("{}?scope=document_write", provider.api());
    let run = call_json(&provider, &["--scope", "document_read"], &url).await?;
    assert_eq!(run.code, 1);
    assert_eq!(run.json()?["statuses"], json!({ "403": 1 }));
    Ok(())
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_is_an_error_in_one_json_object() -> Result<()> {
    let provider = OidcProvider::start(&[]).await?;
    for stack in ["hyper", "reqwest", "tonic"] {
        // nothing listens on port 1 of loopback
        let run = call_json(&provider, &["--stack", stack], "http://127.0.0.1:1/").await?;
        assert_eq!(run.code, 1, "{stack}");
        let result = run.json()?;
        assert_eq!(result["requests"], 1, "{stack}");
        assert_eq!(result["ok"], 0, "{stack}");
    }
    Ok(())
}
