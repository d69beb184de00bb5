//! `error="invalid_token"` rejects the token with any 4xx (RFC 6750 §3.1), and with no other status.

use auth_test_support::{get, scripted::Scripted};
use auth_testing::ManualClock;
use http::header::WWW_AUTHENTICATE;

use super::{
    exchange::{bare, exchange, invalid_token},
    test_client::{ORIGIN, TestClient},
};

/// Returns the number of token requests after one response, the first request included.
async fn token_requests(response: http::Response<()>) -> usize {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), ManualClock::new());
    exchange(&client.authorizer, &get(ORIGIN), async |_| response.clone()).await;
    source.requests()
}

#[tokio::test]
async fn every_client_error_that_states_invalid_token_is_a_rejection() {
    for status in 400..=499 {
        assert_eq!(token_requests(invalid_token(status)).await, 2, "{status}");
    }
}

#[tokio::test]
async fn no_other_status_is_a_rejection() {
    for status in [200, 204, 206, 302, 304, 399, 500, 502, 503, 504, 599] {
        assert_eq!(token_requests(invalid_token(status)).await, 1, "{status}");
    }
}

#[tokio::test]
async fn a_client_error_other_than_401_needs_the_code_for_the_scheme_that_was_used() {
    for challenge in [
        "",
        "Bearer",
        r#"Bearer error="insufficient_scope""#,
        r#"Bearer error="invalid_request""#,
        r#"Bearer error="INVALID_TOKEN""#,
        r#"Bearer error_description="invalid_token""#,
        r#"Basic error="invalid_token""#,
        r#"DPoP error="invalid_token""#,
    ] {
        for status in [400, 403, 404, 429] {
            let mut response = bare(status);
            let headers = response.headers_mut();
            headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
            assert_eq!(token_requests(response).await, 1, "{status} {challenge}");
        }
    }
}

/// Such a response states that the token is valid.
#[tokio::test]
async fn insufficient_scope_with_any_4xx_accepts_the_token() {
    for status in [400, 401, 403, 404] {
        let source = Scripted::expires_in(600);
        let client = TestClient::new(source.clone(), ManualClock::new());
        let send = async |response: http::Response<()>| {
            exchange(&client.authorizer, &get(ORIGIN), async |_| response.clone()).await
        };
        send(bare(401)).await;
        let mut response = bare(status);
        let challenge = r#"Bearer error="insufficient_scope""#.parse().unwrap();
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        send(response).await;
        send(bare(401)).await;
        assert_eq!(source.requests(), 3, "{status} ends the probation of t2");
    }
}
