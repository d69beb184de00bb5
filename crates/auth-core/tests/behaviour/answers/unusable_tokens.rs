//! A success whose token cannot be used is not an outage: it backs off like a denial.

use std::time::Duration;

use async_trait::async_trait;
use auth_core::{Error, ErrorKind, TokenCache, TokenRequest, TokenResponse, TokenSource};
use auth_test_support::with_timeout;
use auth_testing::TokioClock;

use super::{Answer, DENIAL};

fn unusable() -> Vec<Answer> {
    let json = |body: &str| Answer::new(200, body);
    let token = r#"{"access_token":"tok1","token_type":"Bearer"}"#;
    vec![
        json(r#"{"access_token":"a b","token_type":"Bearer"}"#),
        json(r#"{"access_token":"","token_type":"Bearer"}"#),
        json(r#"{"access_token":7,"token_type":"Bearer"}"#),
        json(r#"{"access_token":"tok1","token_type":"mac"}"#),
        json(r#"{"token_type":"Bearer"}"#),
        json("{}"),
        json(""),
        json("null"),
        json(&format!("[{token}]")),
        json(&format!("{token}\0")),
        json(&token[..20]),
        json("access_token=tok1&token_type=bearer"),
        json("<html>Log in</html>").header("content-type", "text/html"),
        json("\u{1f}\u{8b}").header("content-encoding", "gzip"),
        json(r#"{"token_endpoint":"https://as.example/token"}"#),
        Answer::new(204, ""),
        Answer::new(202, ""),
        Answer::new(299, "[]"),
        Answer::new(200, vec![b' '; (1 << 20) + 1]),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_success_without_a_usable_token_backs_off_like_a_denial() {
    for answer in unusable() {
        let shown = format!(
            "{} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        let shown = shown.trim().to_owned();
        let backoff = answer.clone().backoff().await;
        assert!(DENIAL.contains(&backoff), "{shown}: {backoff}");
        let error = answer.error().await;
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{shown}");
        assert!(!error.is_transient(), "{shown}");
    }
}

/// A provider with 1,000 token requests a day was asked every 1 to 10 s.
#[tokio::test(start_paused = true)]
async fn a_day_of_unusable_tokens_takes_few_token_requests() {
    let tokens = Answer::new(200, r#"{"access_token":"a b","token_type":"Bearer"}"#).cache();
    for _ in 0..24 * 3600 {
        with_timeout(tokens.token()).await.unwrap_err();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let requests = tokens.status().token_requests;
    assert!((240..=370).contains(&requests), "{requests}");
}

#[derive(Debug)]
struct UnusableToken;

#[async_trait]
impl TokenSource for UnusableToken {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        TokenResponse::bearer("not a token")
    }
}

#[tokio::test(start_paused = true)]
async fn an_unusable_token_of_another_source_backs_off_like_a_denial() {
    let clock = TokioClock::new();
    let tokens = TokenCache::builder(UnusableToken).clock(clock).build();
    let error = with_timeout(tokens.token()).await.unwrap_err();
    assert!(DENIAL.contains(&error.retry_after().unwrap().as_secs_f64()));
    assert!(!error.is_transient());
}
