//! Fifty concurrent requests without a rate limit, to an API that demands another nonce in proofs of DPoP every
//! 10 s (RFC 9449 §9).

use anyhow::Result;
use serde_json::{Value, json};
use tokio::try_join;

use super::{load, number};
use crate::harness::OidcProvider;

const AT_A_TIME: u64 = 50;

#[tokio::test]
#[ignore = "35 s of load: `cargo xtask test` runs it"]
async fn no_request_fails_by_three_changes_of_the_nonce_on_hyper_and_reqwest() -> Result<()> {
    let provider = OidcProvider::start(&[("AS_API_NONCE_PERIOD", "10")]).await?;
    let (hyper, reqwest) = try_join!(run("hyper", &provider), run("reqwest", &provider))?;
    let stats = provider.stats().await?;
    println!("{hyper}\n{reqwest}\n{stats}");

    for result in [&hyper, &reqwest] {
        assert_eq!(result["errors"], json!({}));
        assert_eq!(result["statuses"], json!({ "200": result["requests"] }));
        assert_eq!(number(result, "token_requests")?, 1);
        assert_eq!(number(result, "replays")?, 0, "the token is not rejected");
    }
    let changes = number(&stats, "api_nonce_changes")?;
    assert!(changes >= 3, "{changes}");
    // the first nonce and each change concern the requests that are in flight
    let demands = number(&stats, "api_401")?;
    let nonces = 2 * (1 + changes);
    assert!(
        (nonces..=nonces * AT_A_TIME).contains(&demands),
        "{demands}"
    );
    Ok(())
}

async fn run(stack: &str, provider: &OidcProvider) -> Result<Value> {
    let at_a_time = AT_A_TIME.to_string();
    let fixed = ["--dpop", "--duration", "35s", "-c", &at_a_time];
    let api = format!("{}?dpop_nonce=1", provider.api());
    load(provider, &[&fixed[..], &["--stack", stack]].concat(), &api).await
}
