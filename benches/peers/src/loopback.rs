//! A token endpoint on loopback, for the rivals that cannot be given another source.

use std::{convert::Infallible, future::Future};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

/// Answers every request with what `answer` makes of its body, as long as the runtime lives.
pub(crate) async fn serve<A, F>(answer: A) -> Url
where
    A: Fn(Bytes) -> F + Clone + Send + 'static,
    F: Future<Output = (StatusCode, String)> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let (status, body) = answer(body).await;
                    let response = Response::builder()
                        .status(status)
                        .header(CONTENT_TYPE, "application/json")
                        .body(Full::new(Bytes::from(body)));
                    Ok::<_, Infallible>(response.unwrap())
                }
            });
            // a client that hangs up is no concern of ours
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    url.parse().unwrap()
}

/// Mints.
pub(crate) async fn minting() -> Url {
    serve(|_| async { (StatusCode::OK, minted()) }).await
}

/// A token endpoint's answer.
pub(crate) fn minted() -> String {
    let token = json!({
        "access_token": bench_support::token(),
        "token_type": "Bearer",
        "expires_in": 3600,
    });
    token.to_string()
}
