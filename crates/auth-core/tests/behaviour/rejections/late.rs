//! Rejections of tokens that have been replaced already.

use auth_test_support::scripted::Scripted;
use auth_testing::ManualClock;
use http::StatusCode;
use tokio_test::{assert_pending, task};

use super::test_client::TestClient;

/// For 8 late rejections `azure_core` made 7 token requests, and huskarl 9.
#[tokio::test]
async fn late_rejections_use_the_token_received_since() {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), ManualClock::new());
    client.tokens().token().await.unwrap();
    let late = || task::spawn(client.fetch("/slow"));
    let mut late: Vec<_> = (0..8).map(|_| late()).collect();
    for call in &mut late {
        assert_pending!(call.poll());
    }
    client.api.revoke("t1");
    assert_eq!(client.get("/").await, StatusCode::OK);
    assert_eq!(source.requests(), 2);
    client.api.release();
    for call in late {
        assert_eq!(call.await.0, StatusCode::OK);
    }
    assert_eq!(source.requests(), 2);
    assert_eq!(
        client.api.shown()[8..],
        [["t1"].as_slice(), &["t2"; 9]].concat()
    );
}

/// The replacement of the rejected token has been replaced as well.
#[tokio::test]
async fn a_very_late_rejection_uses_the_current_token_too() {
    let source = Scripted::expires_in(600);
    let client = TestClient::new(source.clone(), ManualClock::new());
    client.tokens().token().await.unwrap();
    let mut late = task::spawn(client.fetch("/slow"));
    assert_pending!(late.poll());
    for token in ["t1", "t2"] {
        client.api.revoke(token);
        assert_eq!(client.get("/").await, StatusCode::OK);
    }
    client.api.release();
    assert_eq!(late.await.0, StatusCode::OK);
    assert_eq!(source.requests(), 3);
    assert_eq!(client.api.shown().last().unwrap(), "t3");
}
