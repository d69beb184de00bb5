//! Nonces of APIs (RFC 9449 §8.2 and §9): learnt from every response, and demanded by some.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use auth_core::{
    ReplayMethods,
    adapter::{Redirect, ResponseHead, Verdict},
};
use auth_test_support::{ReadProof, ReadableProver};
use http::Request;

use super::api::{
    API, Client, OTHER, authorization, demands, headers, next, proof, rejects, renewal, response,
};

#[tokio::test]
async fn rfc9449_8_2_the_nonce_of_every_response_replaces_that_of_its_origin() {
    let client = Client::new();
    for (status, nonce) in [(200, "n1"), (304, "n2"), (404, "n3"), (503, "n4")] {
        let attempt = client.get(API).await;
        let _ = attempt.classify(&response(status, "", nonce), true);
        assert_eq!(client.nonce(API).await.as_deref(), Some(nonce), "{status}");
    }
    client.learn(&format!("{OTHER}/a"), "other").await;
    assert_eq!(client.nonce(API).await.as_deref(), Some("n4"));
    assert_eq!(client.nonce(OTHER).await.as_deref(), Some("other"));
    let unusable = response(200, "", "n 5");
    let _ = client.get(API).await.classify(&unusable, true);
    assert_eq!(client.nonce(API).await.as_deref(), Some("n4"));
}

#[tokio::test]
async fn the_nonce_of_a_response_from_another_origin_is_not_that_of_the_requests_origin() {
    let client = Client::new();
    for (redirect, expected) in [
        (Redirect::ToAnotherOrigin, None),
        (Redirect::WithinOrigin, Some("n1")),
    ] {
        let response = response(200, "", "n1");
        let head = ResponseHead::from(&response).with_redirect(redirect);
        let _ = client.get(API).await.classify(head, true);
        assert_eq!(client.nonce(API).await.as_deref(), expected, "{redirect:?}");
    }
}

#[tokio::test]
async fn rfc9449_9_a_demanded_nonce_repeats_the_request_with_the_same_token() {
    let client = Client::new();
    let first = client.get(API).await;
    let second = next(first, &demands("n1")).await.unwrap();
    assert_eq!(authorization(&second), "DPoP t1");
    let proof = proof(&second);
    assert_eq!((proof.number, proof.nonce.as_deref()), (2, Some("n1")));
    assert_eq!(client.issued.load(SeqCst), 1, "no token request");
    let replays = client.authorizer.tokens().unwrap().status().replays;
    assert_eq!(replays, 0, "no replay with another token");
}

#[tokio::test]
async fn a_repetition_does_not_count_as_the_replay_after_a_rejection() {
    let client = Client::new();
    let repetition = next(client.get(API).await, &demands("n1")).await.unwrap();
    assert!(repetition.may_replay());
    let replay = next(repetition, &rejects()).await.unwrap();
    let sent = headers(&replay);
    assert_eq!(sent["authorization"], "DPoP t2");
    assert_eq!(ReadProof::of(&sent).access_token.as_deref(), Some("t2"));
    let again = next(replay, &demands("n2")).await.unwrap();
    assert_eq!(proof(&again).nonce.as_deref(), Some("n2"));
    assert_eq!(authorization(&again), "DPoP t2");
    assert!(!again.may_replay(), "all are used up");
    assert!(next(again, &demands("n3")).await.is_none());
    assert_eq!(client.authorizer.tokens().unwrap().status().replays, 1);
}

#[tokio::test]
async fn a_replay_after_a_rejection_is_repeated_for_a_nonce() {
    let client = Client::new();
    let replay = next(client.get(API).await, &rejects()).await.unwrap();
    assert!(replay.may_replay());
    assert_eq!(headers(&replay)["authorization"], "DPoP t2");
    let repetition = next(replay, &demands("n1")).await.unwrap();
    assert_eq!(authorization(&repetition), "DPoP t2");
    assert_eq!(proof(&repetition).nonce.as_deref(), Some("n1"));
    assert!(repetition.may_replay(), "for another nonce");
    // there is another token already, which would need no token request
    client.clock.advance(Duration::from_secs(60));
    assert_eq!(authorization(&client.get(API).await), "DPoP t3");
    assert!(next(repetition, &rejects()).await.is_none());
    assert_eq!(client.authorizer.tokens().unwrap().status().replays, 1);
}

#[tokio::test]
async fn a_nonce_that_changes_while_the_repetition_is_in_flight_repeats_the_request_again() {
    let client = Client::new();
    let first = next(client.get(API).await, &demands("n1")).await.unwrap();
    assert!(first.may_replay());
    let second = next(first, &demands("n2")).await.unwrap();
    assert_eq!(proof(&second).nonce.as_deref(), Some("n2"));
    assert_eq!(authorization(&second), "DPoP t1");
    // a rejection is apart from both
    let replay = next(second, &rejects()).await.unwrap();
    assert_eq!(authorization(&replay), "DPoP t2");
    assert_eq!(proof(&replay).nonce.as_deref(), Some("n2"));
    assert!(!replay.may_replay());
}

#[tokio::test]
async fn a_third_demand_and_a_second_rejection_are_delivered() {
    let client = Client::new();
    let first = next(client.get(API).await, &demands("n1")).await.unwrap();
    let second = next(first, &demands("n2")).await.unwrap();
    assert!(next(second, &demands("n3")).await.is_none());
    assert_eq!(
        client.nonce(API).await.as_deref(),
        Some("n3"),
        "learnt nevertheless"
    );

    let replay = next(client.get(API).await, &rejects()).await.unwrap();
    // there is another token already, which would need no token request
    client.clock.advance(Duration::from_secs(60));
    assert_eq!(authorization(&client.get(API).await), "DPoP t3");
    assert!(next(replay, &rejects()).await.is_none());
}

#[tokio::test]
async fn a_demand_without_another_nonce_is_delivered() {
    let client = Client::new();
    assert!(next(client.get(API).await, &demands("")).await.is_none());
    client.learn(API, "n1").await;
    assert!(next(client.get(API).await, &demands("n1")).await.is_none());
    // another response has brought a newer nonce meanwhile
    let first = client.get(API).await;
    client.learn(API, "n2").await;
    assert!(next(first, &demands("")).await.is_some());
}

#[tokio::test]
async fn a_late_response_does_not_bring_an_older_nonce_back() {
    let client = Client::new();
    client.learn(API, "n1").await;
    let accepted = client.get(API).await;
    let demanded = client.get(API).await;
    client.learn(API, "n2").await;
    let _ = accepted.classify(&response(200, "", "n1"), true);
    assert_eq!(client.nonce(API).await.as_deref(), Some("n2"));
    // n3 is known before the demand of n2 arrives
    client.learn(API, "n3").await;
    let repetition = next(demanded, &demands("n2")).await.unwrap();
    assert_eq!(proof(&repetition).nonce.as_deref(), Some("n3"));
    // the API has the last word
    let again = next(repetition, &demands("n2")).await.unwrap();
    assert_eq!(proof(&again).nonce.as_deref(), Some("n2"));
}

#[tokio::test]
async fn of_a_thousand_requests_at_a_change_of_the_nonce_each_is_repeated_once() {
    let client = Client::new();
    client.learn(API, "n1").await;
    let mut in_flight = Vec::new();
    for _ in 0..1000 {
        in_flight.push(client.get(API).await);
    }
    for (number, attempt) in in_flight.into_iter().enumerate() {
        // every other request was accepted just before the change
        if number % 2 == 1 {
            let _ = attempt.classify(&response(200, "", "n1"), true);
            continue;
        }
        let repetition = next(attempt, &demands("n2")).await.unwrap();
        assert_eq!(proof(&repetition).nonce.as_deref(), Some("n2"), "{number}");
    }
    assert_eq!(client.nonce(API).await.as_deref(), Some("n2"));
}

#[tokio::test]
async fn a_request_that_waits_for_its_service_is_sent_with_the_nonce_that_is_known_then() {
    let client = Client::new();
    client.learn(API, "n1").await;
    let waiting = client.get(API).await;
    let repeated = client.get(API).await;
    let repetition = renewal(repeated.classify(&demands("n2"), true)).await;
    client.learn(API, "n3").await;
    assert!(!waiting.is_current(), "the authorizer makes another proof");
    let repetition = repetition.unwrap().attempt().unwrap();
    assert_eq!(proof(&repetition).nonce.as_deref(), Some("n3"));
}

#[tokio::test]
async fn a_body_that_cannot_be_sent_again_is_not_repeated_and_the_nonce_is_learnt() {
    let client = Client::new();
    let attempt = client.get(API).await;
    let verdict = attempt.classify(&demands("n1"), false);
    assert!(matches!(verdict, Verdict::Deliver));
    assert_eq!(client.nonce(API).await.as_deref(), Some("n1"));
}

#[tokio::test]
async fn the_methods_that_are_not_replayed_are_not_repeated_either() {
    let client = Client::with(ReadableProver::local(), |builder| {
        builder.replay_methods(ReplayMethods::Idempotent)
    });
    let post = Request::post(API).body(()).unwrap();
    assert!(
        next(client.attempt(&post).await, &demands("n1"))
            .await
            .is_none()
    );
    let put = Request::put(API).body(()).unwrap();
    assert!(
        next(client.attempt(&put).await, &demands("n2"))
            .await
            .is_some()
    );
}

#[tokio::test]
async fn a_post_that_was_redirected_is_not_repeated() {
    let client = Client::new();
    let demand = demands("n1");
    let redirected = ResponseHead::from(&demand).with_redirect(Redirect::WithinOrigin);
    let post = Request::post(API).body(()).unwrap();
    let attempt = client.attempt(&post).await;
    assert!(renewal(attempt.classify(redirected, true)).await.is_none());
}

#[tokio::test]
async fn a_repetition_whose_token_has_expired_is_not_sent() {
    let client = Client::new();
    let attempt = client.get(API).await;
    let renewal = renewal(attempt.classify(&demands("n1"), true))
        .await
        .unwrap();
    assert!(renewal.attempt().is_some());
    client.clock.advance(Duration::from_secs(60));
    assert!(renewal.attempt().is_none());
}

#[tokio::test]
async fn an_invalid_proof_is_delivered_and_rejects_no_token() {
    let client = Client::new();
    let invalid = response(401, "DPoP error=\"invalid_dpop_proof\"", "");
    assert!(next(client.get(API).await, &invalid).await.is_none());
    assert_eq!(authorization(&client.get(API).await), "DPoP t1");
    assert_eq!(client.issued.load(SeqCst), 1);
}
