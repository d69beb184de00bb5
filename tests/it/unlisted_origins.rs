//! Unlisted origins receive no token, also if their name resembles that of the API, and their 401 starts no
//! refresh.

use std::{convert::Infallible, future::ready, iter, net::SocketAddr, sync::Arc};

use auth_reqwest::AuthMiddleware;
use auth_test_support::{
    Deployment, GatedSource, NOTHING, RawServer, authorizations, get,
    hyper_clients::hyper_client,
    reqwest_clients::{reqwest_builder, reqwest_with},
};
use auth_testing::Answer;
use auth_tower::AuthLayer;
use http::{HeaderValue, StatusCode, header::LOCATION};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns},
    },
    rt::TokioExecutor,
};
use reqwest::dns::{Name, Resolve, Resolving};
use reqwest_middleware::ClientBuilder;
use tower::{Layer, ServiceExt, service_fn};

const WELCOME: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const REJECTED: &str =
    "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const API: &str = "http://api.signicat.com";

const UNLISTED: [&str; 8] = [
    "http://api.signicat.con/",
    "http://apisignicat.com/",
    "http://signicat.com/",
    "http://api.signicat.com.evil.example/",
    "http://api.signicat.com@evil.example/",
    "http://api.signicat.com:80@evil.example/",
    "http://evil.example/http://api.signicat.com/",
    "http://xn--pi-7ia.signicat.com/",
];

/// The address to which every host name resolves.
#[derive(Clone, Copy, Debug)]
struct Everywhere(SocketAddr);

impl Resolve for Everywhere {
    fn resolve(&self, _: Name) -> Resolving {
        let found: Box<dyn Iterator<Item = SocketAddr> + Send> = Box::new(iter::once(self.0));
        Box::pin(ready(Ok(found)))
    }
}

async fn authorizer() -> auth_core::Authorizer {
    let source = GatedSource::open();
    let builder = auth_core::Authorizer::builder(source.cache()).origin(API);
    let authorizer = builder.danger_allow_http(true).build().unwrap();
    authorizer.tokens().unwrap().token().await.unwrap();
    authorizer
}

/// Returns the bytes that arrive when `uri` is requested. Every host name resolves to the same server.
async fn by_hyper(uri: &str) -> String {
    let server = RawServer::start(WELCOME).await;
    let everywhere = server.address();
    let resolver =
        service_fn(move |_: dns::Name| ready(Ok::<_, Infallible>(iter::once(everywhere))));
    let connector = HttpConnector::new_with_resolver(resolver);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let client = AuthLayer::new(authorizer().await).layer(client);
    let uri = uri.replace("PORT", &everywhere.port().to_string());
    let response = client.oneshot(get(&uri)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{uri}");
    server.received().await
}

async fn by_reqwest(url: &str) -> String {
    let server = RawServer::start(WELCOME).await;
    let everywhere = Everywhere(server.address());
    let client = reqwest_builder().dns_resolver(Arc::new(everywhere));
    let middleware = AuthMiddleware::new(authorizer().await);
    let client = ClientBuilder::new(client.build().unwrap());
    let url = url.replace("PORT", &everywhere.0.port().to_string());
    let request = client.with(middleware).build().get(&url);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{url}");
    server.received().await
}

fn shows_token(received: &str) -> bool {
    assert!(received.starts_with("GET /"), "{received}");
    received.contains("token-1")
}

#[tokio::test]
async fn a_host_name_that_resembles_that_of_the_api_gets_no_token() {
    let here = ["http://api.signicat.com:PORT/", "http://127.0.0.1:PORT/"];
    for unlisted in UNLISTED.into_iter().chain(here) {
        assert!(!shows_token(&by_hyper(unlisted).await), "hyper: {unlisted}");
        let received = by_reqwest(unlisted).await;
        assert!(!shows_token(&received), "reqwest: {unlisted}");
    }
    // with an "а" of the Cyrillic alphabet
    let received = by_reqwest("http://\u{430}pi.signicat.com/").await;
    assert!(!shows_token(&received));
}

#[tokio::test]
async fn other_spellings_of_the_host_name_of_the_api_get_the_token() {
    for same in [
        "http://api.signicat.com/v1",
        "http://API.Signicat.COM/",
        "http://api.signicat.com./",
        "http://API.signicat.com./v1",
    ] {
        assert!(shows_token(&by_hyper(same).await), "hyper: {same}");
        assert!(shows_token(&by_reqwest(same).await), "reqwest: {same}");
    }
    // a backslash is a slash for the client that connects, and for the check of the origin
    let path = r"http://api.signicat.com\@evil.example/";
    assert!(shows_token(&by_reqwest(path).await));
}

#[tokio::test]
async fn a_401_of_an_unlisted_origin_after_a_redirect_starts_no_refresh_on_reqwest() {
    let deployment = Deployment::start().await;
    let unlisted = RawServer::start(REJECTED).await;
    let location = HeaderValue::from_str(&unlisted.origin()).unwrap();
    let redirect = Answer::status(StatusCode::TEMPORARY_REDIRECT);
    deployment
        .api
        .fail_next(1, redirect.with_header(LOCATION, location));
    let request = reqwest_with(deployment.authorizer()).get(deployment.api.url());
    let status = request.send().await.unwrap().status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(deployment.authorization.token_requests(), 1);
    assert_eq!(deployment.api.request_count(), 1);
    let received = unlisted.received().await.to_lowercase();
    assert!(!received.contains("authorization"), "{received}");
}

#[tokio::test]
async fn a_401_to_a_request_without_a_token_starts_no_refresh() {
    let deployment = Deployment::start().await;
    let unlisted = deployment.unlisted_api().await;
    let authorizer = deployment.authorizer();
    authorizer.tokens().unwrap().token().await.unwrap();
    let client = AuthLayer::new(authorizer.clone()).layer(hyper_client());
    let response = client.oneshot(get(unlisted.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let request = reqwest_with(authorizer).get(unlisted.url());
    let status = request.send().await.unwrap().status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        authorizations(&unlisted),
        [&NOTHING[0], &NOTHING[0]].map(Clone::clone)
    );
    assert_eq!(deployment.authorization.token_requests(), 1);
}

/// After a redirect within the origin, the rejection comes from the API.
#[tokio::test]
async fn the_apis_own_401_after_a_redirect_starts_a_refresh_on_reqwest() {
    let deployment = Deployment::start().await;
    let redirect = Answer::status(StatusCode::FOUND);
    let redirect = redirect.with_header(LOCATION, HeaderValue::from_static("/second"));
    deployment.api.fail_next(1, redirect);
    let authorizer = deployment.revoked().await;
    let request = reqwest_with(authorizer).get(deployment.api.url());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    let shown = authorizations(&deployment.api);
    assert_eq!(shown.len(), 3);
    assert_eq!(shown[0], shown[1]);
    assert_ne!(shown[1], shown[2]);
}
