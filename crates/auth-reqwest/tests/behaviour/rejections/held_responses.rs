//! A response that rejects the token of a request that is not replayed: it is held until another token has
//! arrived, so that the next request carries it.

use std::{convert::Infallible, time::Duration};

use auth_core::{Authorizer, ReplayMethods, TokenCache, async_trait};
use auth_reqwest::AuthMiddleware;
use auth_test_support::{reqwest_clients::reqwest_client, scripted::Scripted};
use auth_testing::TokioClock;
use bytes::Bytes;
use http::{
    Extensions, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use reqwest::{Body, Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next};
use tokio::time::Instant;

const API: &str = "https://api.example.com/echo.Echo/Unary";

/// An API that rejects `t1`, and `t2` explicitly if `rejects_two` is set. Its responses to gRPC calls have
/// their status in the headers.
struct Api {
    rejects_two: bool,
}

#[async_trait]
impl Middleware for Api {
    async fn handle(
        &self,
        request: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> Result<Response, Error> {
        let token = &request.headers()[AUTHORIZATION];
        let is_second = self.rejects_two && token == "Bearer t2";
        let is_rejected = token == "Bearer t1" || is_second;
        let mut response = http::Response::builder().url(request.url().clone());
        if let Some(kind) = request.headers().get(CONTENT_TYPE) {
            let status = if is_rejected { "16" } else { "0" };
            response = response
                .header(CONTENT_TYPE, kind)
                .header("grpc-status", status);
        } else if is_rejected {
            response = response.status(StatusCode::UNAUTHORIZED);
        }
        if is_second {
            response = response.header(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"");
        }
        Ok(response.body("").unwrap().into())
    }
}

/// Returns a client of the API, whose first token is cached. Each further token request takes `latency`.
async fn client(rejects_two: bool, latency: u64) -> (ClientWithMiddleware, Scripted) {
    let source = Scripted::expires_in(600);
    let tokens = TokenCache::builder(source.clone()).clock(TokioClock::new());
    let tokens = tokens.build();
    tokens.token().await.unwrap();
    let builder = Authorizer::builder(tokens)
        .origin("https://api.example.com")
        .replay_methods(ReplayMethods::Any);
    let client = ClientBuilder::new(reqwest_client())
        .with(AuthMiddleware::new(builder.build().unwrap()))
        .with(Api { rejects_two })
        .build();
    let source = source.latency(Duration::from_millis(latency));
    (client, source)
}

/// A body that cannot be sent twice.
fn stream() -> Body {
    let chunks = [Ok::<_, Infallible>(Bytes::from_static(&[0; 5]))];
    Body::wrap_stream(futures_util::stream::iter(chunks))
}

fn is_rejected(response: &Response) -> bool {
    let grpc_status = response.headers().get("grpc-status");
    response.status() == StatusCode::UNAUTHORIZED
        || grpc_status.is_some_and(|status| status == "16")
}

#[tokio::test(start_paused = true)]
async fn the_next_request_has_another_token() {
    for kind in [None, Some("application/grpc"), Some("application/grpc-web")] {
        let (client, source) = client(false, 100).await;
        let send = async || {
            let mut request = client.post(API).body(stream());
            if let Some(kind) = kind {
                request = request.header(CONTENT_TYPE, kind);
            }
            request.send().await.unwrap()
        };
        assert!(is_rejected(&send().await), "{kind:?}");
        assert!(!is_rejected(&send().await), "{kind:?}");
        assert_eq!(source.requests(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_is_held_for_a_second_and_half_of_the_timeout_at_most() {
    for (timeout, held) in [(None, 1_000), (Some(5_000), 1_000), (Some(300), 150)] {
        let (client, _source) = client(false, 20_000).await;
        let mut request = client.post(API).body(stream());
        if let Some(timeout) = timeout {
            request = request.timeout(Duration::from_millis(timeout));
        }
        let start = Instant::now();
        assert!(is_rejected(&request.send().await.unwrap()));
        let elapsed = start.elapsed().as_millis();
        assert!(
            (held..held + 3).contains(&elapsed),
            "{timeout:?}: {elapsed} ms"
        );
    }
}

/// The token of the replay replaced one after a bare rejection, and is rejected explicitly.
#[tokio::test(start_paused = true)]
async fn the_response_to_a_replay_is_held_as_well() {
    let (client, source) = client(true, 100).await;
    let send = async || client.get(API).send().await.unwrap();
    assert!(is_rejected(&send().await));
    assert_eq!(source.requests(), 3);
    assert!(!is_rejected(&send().await));
}
