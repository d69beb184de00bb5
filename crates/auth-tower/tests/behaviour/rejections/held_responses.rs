//! A response that rejects the token of a request that is not replayed: it is held until another token has
//! arrived, so that the next request carries it.

use std::{convert::Infallible, fmt, time::Duration};

use auth_core::{Authorizer, BoxError, ReplayMethods, TokenCache};
use auth_test_support::scripted::Scripted;
use auth_testing::TokioClock;
use auth_tower::{AuthLayer, NoReplay};
use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use http_body_util::{BodyExt, Full};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneService};

/// How the API says that it rejects a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rejection {
    Bare,
    /// With `error="invalid_token"`.
    Explicit,
    /// The gRPC status 16 in the headers.
    Grpc,
}

/// Why a request is not replayed.
#[derive(Clone, Copy, Debug)]
enum NotReplayed {
    Method(ReplayMethods),
    Layer,
    /// Its body is too large to be recorded.
    LargeBody,
}

const IDEMPOTENT: NotReplayed = NotReplayed::Method(ReplayMethods::Idempotent);
const ALL: [Rejection; 3] = [Rejection::Bare, Rejection::Explicit, Rejection::Grpc];
const LARGE: usize = 1 << 20;

impl Rejection {
    fn response(self, is_rejected: bool) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        if self == Self::Grpc {
            let status = if is_rejected { "16" } else { "0" };
            let headers = response.headers_mut();
            headers.insert("grpc-status", HeaderValue::from_static(status));
            let grpc = HeaderValue::from_static("application/grpc");
            headers.insert(CONTENT_TYPE, grpc);
        } else if is_rejected {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        if is_rejected && self == Self::Explicit {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// Returns a `POST`, which is a gRPC call if the API rejects its token by a gRPC status.
    fn request(self, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::post("https://api.example.com/echo.Echo/Unary")
            .body(Full::new(body))
            .unwrap();
        if self == Self::Grpc {
            let grpc = HeaderValue::from_static("application/grpc");
            request.headers_mut().insert(CONTENT_TYPE, grpc);
        }
        request
    }
}

/// A client of an API that rejects some tokens. The first token is cached.
struct Peers {
    why: NotReplayed,
    rejection: Rejection,
    source: Scripted,
    client: BoxCloneService<Request<Full<Bytes>>, Response<()>, BoxError>,
}

impl Peers {
    async fn start(why: NotReplayed, rejection: Rejection, rejected: &'static [&str]) -> Self {
        let methods = match why {
            NotReplayed::Method(methods) => methods,
            NotReplayed::Layer | NotReplayed::LargeBody => ReplayMethods::Any,
        };
        let source = Scripted::expires_in(600);
        let tokens = TokenCache::builder(source.clone()).clock(TokioClock::new());
        let tokens = tokens.build();
        tokens.token().await.unwrap();
        let builder = Authorizer::builder(tokens)
            .origin("https://api.example.com")
            .replay_methods(methods)
            .danger_trust_channel(true);
        let layer = AuthLayer::new(builder.build().unwrap());
        let api = service_fn(move |request: Request<_>| async move {
            let token = request.headers()[AUTHORIZATION].clone();
            let _ = BodyExt::collect(request.into_body()).await;
            let is_rejected = rejected.iter().any(|rejected| token == rejected);
            Ok::<_, Infallible>(rejection.response(is_rejected))
        });
        let client = match why {
            NotReplayed::Layer => {
                let client = layer.replay(NoReplay).layer(api);
                BoxCloneService::new(client.map_response(|response| response.map(drop)))
            }
            NotReplayed::Method(_) | NotReplayed::LargeBody => {
                let client = layer.layer(api);
                BoxCloneService::new(client.map_response(|response| response.map(drop)))
            }
        };
        Self {
            why,
            rejection,
            source,
            client,
        }
    }

    /// Sets how long the next token requests take.
    fn token_requests_take(&self, milliseconds: u64) {
        let _ = self
            .source
            .clone()
            .latency(Duration::from_millis(milliseconds));
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let body = match self.why {
            NotReplayed::LargeBody => vec![7; LARGE],
            NotReplayed::Method(_) | NotReplayed::Layer => Vec::new(),
        };
        self.rejection.request(body.into())
    }

    /// Sends a request. Returns whether the API rejected its token, and the milliseconds that it took.
    async fn send(&self, request: Request<Full<Bytes>>) -> (bool, u128) {
        let start = Instant::now();
        let response = self.client.clone().oneshot(request).await.unwrap();
        let grpc_status = response.headers().get("grpc-status");
        let is_rejected = response.status() == StatusCode::UNAUTHORIZED
            || grpc_status.is_some_and(|status| status == "16");
        (is_rejected, start.elapsed().as_millis())
    }
}

#[track_caller]
fn assert_held((is_rejected, elapsed): (bool, u128), held: u128, case: impl fmt::Debug) {
    let expected = held..held + 3;
    assert!(is_rejected, "{case:?}");
    assert!(expected.contains(&elapsed), "{case:?}: {elapsed} ms");
}

#[tokio::test(start_paused = true)]
async fn the_next_request_has_another_token() {
    for why in [
        IDEMPOTENT,
        NotReplayed::Method(ReplayMethods::None),
        NotReplayed::Layer,
        NotReplayed::LargeBody,
    ] {
        for rejection in ALL {
            let peers = Peers::start(why, rejection, &["Bearer t1"]).await;
            peers.token_requests_take(50);
            let first = peers.send(peers.request()).await;
            assert_held(first, 50, (why, rejection));
            let next = peers.send(peers.request()).await;
            assert_eq!(next, (false, 0), "{why:?} {rejection:?}");
            assert_eq!(peers.source.requests(), 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_response_is_held_for_a_second_at_most() {
    for rejection in ALL {
        for (latency, held) in [(999, 999), (1001, 1000), (20_000, 1000)] {
            let peers = Peers::start(IDEMPOTENT, rejection, &["Bearer t1"]).await;
            peers.token_requests_take(latency);
            let response = peers.send(peers.request()).await;
            assert_held(response, held, (rejection, latency));
        }
    }
}

/// The rest of the deadline is left to the body of the response.
#[tokio::test(start_paused = true)]
async fn the_response_is_held_for_half_of_the_grpc_timeout_at_most() {
    for why in [IDEMPOTENT, NotReplayed::LargeBody] {
        for (timeout, held) in [(300, 150), (1_000, 500), (5_000, 1_000)] {
            let peers = Peers::start(why, Rejection::Grpc, &["Bearer t1"]).await;
            peers.token_requests_take(20_000);
            let mut request = peers.request();
            let value = format!("{timeout}m").parse().unwrap();
            request.headers_mut().insert("grpc-timeout", value);
            assert_held(peers.send(request).await, held, (why, timeout));
        }
    }
}

/// Without a replacement in flight there is nothing to wait for.
#[tokio::test(start_paused = true)]
async fn the_response_is_not_held_if_the_token_is_not_replaced() {
    for rejection in ALL {
        let rejected = &["Bearer t1", "Bearer t2"];
        let peers = Peers::start(IDEMPOTENT, rejection, rejected).await;
        assert_held(peers.send(peers.request()).await, 0, rejection);
        peers.token_requests_take(500);
        // the replacement is on probation
        assert_held(peers.send(peers.request()).await, 0, rejection);
        assert_eq!(peers.source.requests(), 2);
    }
}
