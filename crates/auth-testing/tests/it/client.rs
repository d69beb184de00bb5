//! A plain HTTP client, and the requests it sends.

use auth_testing::AuthorizationServer;
use bytes::Bytes;
use http::{
    Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{self, Error, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

pub(crate) type Client = legacy::Client<HttpConnector, Full<Bytes>>;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const POST: &str = "grant_type=client_credentials&client_id=client&client_secret=secret";
/// The credentials `client:secret`.
pub(crate) const BASIC: &str = "Basic Y2xpZW50OnNlY3JldA==";

pub(crate) fn http1() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn http2() -> Client {
    legacy::Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http()
}

/// Starts a server with the client `client` and its secret `secret`.
pub(crate) async fn server() -> AuthorizationServer {
    let builder = AuthorizationServer::builder().client("client", "secret");
    builder.start().await.unwrap()
}

pub(crate) fn token_request(url: String, form: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(CONTENT_TYPE, FORM)
        .body(Full::from(form.to_owned()))
        .unwrap()
}

pub(crate) fn api_request(url: String, token: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .uri(url)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::default())
        .unwrap()
}

pub(crate) async fn send(
    client: &Client,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Error> {
    let (head, body) = client.request(request).await?.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Ok(Response::from_parts(head, body))
}

/// Sends a token request by `client_secret_post`, with `more` parameters appended to its form.
pub(crate) async fn request_token(server: &AuthorizationServer, more: &str) -> (StatusCode, Value) {
    let request = token_request(server.token_endpoint(), &format!("{POST}{more}"));
    let response = send(&http1(), request).await.unwrap();
    let json = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status(), json)
}
