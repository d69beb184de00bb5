//! Proofs for requests over a channel, whose URIs need not name their origin.

use auth_core::{Error, ErrorKind, adapter::Decision};
use auth_test_support::ReadableProver;
use http::{Request, Uri};

use super::api::{API, Client, OTHER, proof};

fn grpc(uri: &str) -> Request<()> {
    let request = Request::post(uri).header("content-type", "application/grpc");
    request.body(()).unwrap()
}

async fn url(client: &Client, uri: &str) -> Result<String, Error> {
    match client.authorizer.authorize(&grpc(uri)) {
        Decision::Authorize(attempt) => Ok(proof(&attempt).url),
        Decision::Wait(attempt) => attempt.await.map(|attempt| proof(&attempt).url),
        Decision::PassThrough(_) => panic!("expected a token"),
    }
}

#[tokio::test]
async fn a_proof_names_the_channels_origin_whatever_the_uri_says() {
    let mut client = Client::new();
    let endpoint = Uri::from_static("https://api.example.com:443");
    client.authorizer = client.authorizer.for_channel(&endpoint).unwrap();
    for uri in [
        "/pkg.Service/Method",
        &format!("{OTHER}/pkg.Service/Method"),
    ] {
        let url = url(&client, uri).await.unwrap();
        assert_eq!(url, format!("{API}/pkg.Service/Method"));
    }
}

#[tokio::test]
async fn a_request_over_a_channel_whose_origin_is_not_known_is_not_sent() {
    let client = Client::with(ReadableProver::local(), |builder| {
        builder.danger_trust_channel(true)
    });
    let error = url(&client, "/pkg.Service/Method").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("for_channel"), "{error}");
    let absolute = format!("{API}/pkg.Service/Method");
    assert_eq!(url(&client, &absolute).await.unwrap(), absolute);
}
