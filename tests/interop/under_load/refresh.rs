//! A minute of requests with tokens of three seconds, and with an outage of the authorization server that
//! begins when the token becomes stale.
//!
//! The tests bound latency, and therefore need an idle machine.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{load, number, reached};
use crate::harness::OidcProvider;

/// In microseconds. A start is late only if all 50 requests are in flight. At 100 requests a second the first
/// of them then takes half a second, so that a late start hides no delay.
const LONGEST_LATENCY: u64 = 250_000;
/// In microseconds. On a quiet machine no request without a token takes longer.
const QUIET: u64 = 50_000;
const MINUTE_AT_500: [&str; 6] = ["--duration", "60s", "--rate", "500", "-c", "50"];
const SEVENTY_S_AT_100: [&str; 6] = ["--duration", "70s", "--rate", "100", "-c", "50"];
const OUTAGE: Duration = Duration::from_secs(8);
/// The maximum number of runs, until the machine is idle during one.
const RUNS: usize = 3;

#[tokio::test]
#[ignore = "a minute of load: `cargo xtask test` runs it"]
async fn tokens_of_3_s_cost_no_401_and_50_token_requests_a_minute() -> Result<()> {
    let provider = OidcProvider::start(&[("AS_TOKEN_TTL", "3")]).await?;
    let result = load(&provider, &MINUTE_AT_500, &provider.api()).await?;
    let stats = provider.stats().await?;
    println!("{result}\n{stats}");

    all_succeeded(&result, &stats, 60 * 500)?;
    let token_requests = number(&result, "token_requests")?;
    // with fewer than 20 a token was used for longer than its 3 s
    assert!((20..=50).contains(&token_requests), "{token_requests}");
    assert_eq!(number(&stats, "token_requests")?, token_requests);
    assert_eq!(number(&stats, "token_ok")?, token_requests);
    Ok(())
}

#[tokio::test]
#[ignore = "a minute of load: `cargo xtask test` runs it"]
async fn no_request_fails_during_8_s_of_503_when_the_token_is_stale() -> Result<()> {
    let (fault, repaired) = (json!({ "fail_next": 1_000_000 }), json!({ "fail_next": 0 }));
    no_request_is_slow(&fault, &repaired).await
}

#[tokio::test]
#[ignore = "a minute of load: `cargo xtask test` runs it"]
async fn no_request_fails_during_8_s_of_silence_when_the_token_is_stale() -> Result<()> {
    // an hour: a token request of this time is never answered
    let (fault, repaired) = (json!({ "delay_ms": 3_600_000 }), json!({ "delay_ms": 0 }));
    no_request_is_slow(&fault, &repaired).await
}

/// If requests with and without a token were slow, the machine may be the cause, and the run is repeated.
/// A failed request is always an error.
async fn no_request_is_slow(fault: &Value, repaired: &Value) -> Result<()> {
    for _ in 0..RUNS {
        let [latency, control] = latencies_of_a_run(fault, repaired).await?;
        if latency <= LONGEST_LATENCY {
            return Ok(());
        }
        ensure!(
            control > QUIET,
            "a request took {latency} µs; without a token none took longer than {control} µs"
        );
    }
    bail!("each of {RUNS} runs had a request of over {LONGEST_LATENCY} µs, on a busy machine")
}

/// Returns the maximum latencies in microseconds, of requests with a token and of concurrent requests without
/// one.
///
/// The lifetime of the token is 60 s. It is stale after 37 to 48 s, and expired after 57 s. The requests are
/// sent for 70 s.
async fn latencies_of_a_run(fault: &Value, repaired: &Value) -> Result<[u64; 2]> {
    let provider = OidcProvider::start(&[("AS_TOKEN_TTL", "60")]).await?;
    let api = provider.api();
    let (result, control, outage) = tokio::try_join!(
        load(&provider, &SEVENTY_S_AT_100, &api),
        control(&provider, &SEVENTY_S_AT_100),
        outage(&provider, fault.clone(), repaired.clone()),
    )?;
    let stats = provider.stats().await?;
    println!("{result}\nwithout a token: {control}\n{stats}\n{outage}");

    all_succeeded(&result, &stats, 70 * 100)?;
    let token_requests = number(&result, "token_requests")?;
    let token_errors = number(&result, "token_errors")?;
    assert!(token_errors > 0, "there was no outage");
    assert_eq!(token_requests - token_errors, 2);
    assert_eq!(number(&stats, "token_requests")?, token_requests);
    assert_eq!(number(&stats, "token_ok")?, 2);
    let max = |result: &Value| number(&result["latency_us"], "max");
    Ok([max(&result)?, max(&control)?])
}

/// The outage lasts from the first token until [`OUTAGE`] after the first failed token request.
async fn outage(provider: &OidcProvider, fault: Value, repaired: Value) -> Result<String> {
    reached(provider, "token_ok", 1).await?;
    let issued = Instant::now();
    provider.faults(fault).await?;
    reached(provider, "token_requests", 2).await?;
    let stale = issued.elapsed();
    sleep(OUTAGE).await;
    let stats = provider.stats().await?;
    ensure!(stats["token_ok"] == 1, "the outage was none: {stats}");
    provider.faults(repaired).await?;
    Ok(format!(
        "stale from {stale:.1?}, outage until {:.1?}",
        issued.elapsed()
    ))
}

/// Sends the same requests to the same server with an `Authorization` header of their own, which the layer
/// leaves unchanged.
async fn control(provider: &OidcProvider, more: &[&str]) -> Result<Value> {
    let more = [more, &["-H", "authorization: none"]].concat();
    load(provider, &more, &format!("{}/__stats", provider.issuer())).await
}

fn all_succeeded(result: &Value, stats: &Value, scheduled: u64) -> Result<()> {
    let requests = number(result, "requests")?;
    // requests that are scheduled at the end may start too late to count
    assert!(requests >= scheduled * 99 / 100, "{requests}");
    assert_eq!(result["errors"], json!({}));
    assert_eq!(number(result, "ok")?, requests);
    assert_eq!(result["statuses"], json!({ "200": requests }));
    assert_eq!(number(stats, "api_401")?, 0);
    assert_eq!(number(stats, "api_200")?, requests);
    Ok(())
}
