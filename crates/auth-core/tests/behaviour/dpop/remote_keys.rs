//! Keys that need I/O for a proof.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use auth_core::{
    Authorizer, ErrorKind, TokenCache,
    adapter::{AttemptFuture, Decision},
};
use auth_test_support::{ReadableProver, get};
use futures_util::FutureExt;

use super::{
    api::{API, Client, Source, authorization, demands, next, proof, rejects},
    fixed_prover::Fixed,
};

fn client() -> Client {
    Client::with(ReadableProver::remote(), |builder| builder)
}

fn waits(client: &Client) -> AttemptFuture {
    match client.authorizer.authorize(&get(API)) {
        Decision::Wait(attempt) => attempt,
        other => panic!("expected to wait for the proof, got {other:?}"),
    }
}

#[tokio::test]
async fn a_request_that_finds_its_token_waits_for_its_proof() {
    let client = client();
    client.prover.permit(1);
    client.get(API).await;
    let mut attempt = waits(&client);
    assert!((&mut attempt).now_or_never().is_none());
    client.prover.permit(1);
    let attempt = attempt.await.unwrap();
    assert_eq!(
        (authorization(&attempt), proof(&attempt).number),
        ("DPoP t1".into(), 2)
    );
    assert!(attempt.is_current());
    client.prover.permit(1);
    client.learn(API, "n1").await;
    assert!(attempt.is_current(), "another proof would be another wait");
}

#[tokio::test]
async fn a_token_that_expires_meanwhile_is_not_sent() {
    let client = client();
    client.prover.permit(1);
    client.get(API).await;
    let mut attempt = waits(&client);
    assert!((&mut attempt).now_or_never().is_none());
    client.clock.advance(Duration::from_secs(60));
    client.prover.permit(2);
    let attempt = attempt.await.unwrap();
    assert_eq!(authorization(&attempt), "DPoP t2");
    assert_eq!(proof(&attempt).access_token.as_deref(), Some("t2"));
    assert_eq!(client.issued.load(SeqCst), 2);
}

#[tokio::test]
async fn a_repetition_and_a_replay_wait_for_their_proofs() {
    let client = client();
    client.prover.permit(3);
    let repetition = next(client.get(API).await, &demands("n1")).await.unwrap();
    assert_eq!(proof(&repetition).nonce.as_deref(), Some("n1"));
    let replay = next(repetition, &rejects()).await.unwrap();
    assert_eq!(proof(&replay).access_token.as_deref(), Some("t2"));
    assert_eq!(client.prover.proofs(), 3);
}

#[tokio::test]
async fn a_key_that_does_not_respond_fails_the_request_after_10_s() {
    let client = client();
    client.prover.permit(1);
    client.get(API).await;
    let mut attempt = waits(&client);
    assert!((&mut attempt).now_or_never().is_none());
    client.clock.advance(Duration::from_secs(10));
    let error = attempt.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("DPoP proof"), "{error}");
}

/// As a service that answers with an error page, or is down.
#[tokio::test]
async fn a_key_without_a_proof_fails_the_request_and_leaves_the_token() {
    for (prover, told) in [
        (Fixed(Ok("<html>")), "expected a signed JWT"),
        (Fixed(Err("the vault is closed")), "the vault is closed"),
    ] {
        let (source, issued) = Source::new(prover);
        let builder = Authorizer::builder(TokenCache::new(source)).origin(API);
        let authorizer = builder.build().unwrap();
        for _ in 0..3 {
            let Decision::Wait(attempt) = authorizer.authorize(&get(API)) else {
                panic!("expected to wait for the token and its proof");
            };
            let error = attempt.await.unwrap_err();
            assert!(error.to_string().contains(told), "{error}");
        }
        assert_eq!(issued.load(SeqCst), 1);
    }
}
