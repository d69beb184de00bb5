//! Proofs and nonces of gRPC calls.

use auth_core::adapter::{Attempt, Verdict};
use auth_test_support::ReadableProver;
use http::{HeaderMap, Request, Response};

use super::api::{API, Client, authorization, next, proof};

const METHOD: &str = "https://api.example.com/pkg.Service/Method";

async fn call(client: &Client) -> Attempt {
    let request = Request::post(METHOD).header("content-type", "application/grpc");
    client.attempt(&request.body(()).unwrap()).await
}

fn client() -> Client {
    Client::with(ReadableProver::local(), |builder| {
        builder.danger_trust_channel(true)
    })
}

#[tokio::test]
async fn a_nonce_that_is_demanded_in_the_headers_repeats_the_call() {
    let client = client();
    let response = Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", "16")
        .header("www-authenticate", "DPoP error=\"use_dpop_nonce\"")
        .header("dpop-nonce", "n1");
    let second = next(call(&client).await, &response.body(()).unwrap())
        .await
        .unwrap();
    assert_eq!(authorization(&second), "DPoP t1");
    assert_eq!(proof(&second).nonce.as_deref(), Some("n1"));
    assert_eq!(proof(&second).url, METHOD);
}

#[tokio::test]
async fn a_nonce_that_is_demanded_in_the_trailers_is_learnt_for_later_calls() {
    let client = client();
    let response = Response::builder().header("content-type", "application/grpc");
    let verdict = call(&client)
        .await
        .classify(&response.body(()).unwrap(), true);
    let Verdict::DeliverAndWatch(status) = verdict else {
        panic!("the status is in the trailers");
    };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "16".parse().unwrap());
    trailers.insert(
        "www-authenticate",
        "DPoP error=\"use_dpop_nonce\"".parse().unwrap(),
    );
    trailers.insert("dpop-nonce", "n1".parse().unwrap());
    assert!(
        status.trailers(&trailers).is_none(),
        "no token is requested"
    );
    assert_eq!(client.nonce(API).await.as_deref(), Some("n1"));
    assert_eq!(authorization(&call(&client).await), "DPoP t1");
}
