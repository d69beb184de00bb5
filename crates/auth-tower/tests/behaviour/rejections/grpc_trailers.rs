//! The status `UNAUTHENTICATED` in the trailers of a gRPC response: after early headers, as grpcio sends
//! them, and after messages. The next call has another token.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use auth_core::{Authorizer, BoxError, TokenCache};
use auth_test_support::{scripted::Scripted, secs, settle};
use auth_testing::{EchoClient, ManualClock, TokioClock};
use auth_tower::AuthLayer;
use bytes::Bytes;
use futures_util::{StreamExt, stream, stream::BoxStream};
use http::{
    HeaderMap, HeaderValue, Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use tokio::{sync::mpsc, time::Instant};
use tonic::{Code, body::Body};
use tower::{Layer, ServiceExt, service_fn, util::BoxCloneService};

type FrameResult = Result<Frame<Bytes>, io::Error>;
type ApiBody = StreamBody<BoxStream<'static, FrameResult>>;

/// An authorizer for a trusted channel, with its source and its clock.
struct Setup {
    source: Scripted,
    clock: ManualClock,
    authorizer: Authorizer,
}

impl Setup {
    fn new() -> Self {
        let (source, clock) = (Scripted::expires_in(600), ManualClock::new());
        let tokens = TokenCache::builder(source.clone()).clock(clock.clone());
        let builder = Authorizer::builder(tokens.build()).origin("https://api.example.com");
        Self {
            source,
            clock,
            authorizer: builder.danger_trust_channel(true).build().unwrap(),
        }
    }

    /// Sends a request to an API that responds with these frames, and returns the response.
    async fn send(
        &self,
        content_type: &'static str,
        frames: impl IntoIterator<Item = FrameResult, IntoIter: Send + 'static>,
    ) -> Response<impl http_body::Body<Data = Bytes, Error = io::Error>> {
        let frames = stream::iter(frames).boxed();
        self.send_stream(content_type, frames).await
    }

    async fn send_stream(
        &self,
        content_type: &'static str,
        frames: BoxStream<'static, FrameResult>,
    ) -> Response<impl http_body::Body<Data = Bytes, Error = io::Error>> {
        let frames = Arc::new(Mutex::new(Some(frames)));
        let inner = service_fn(move |_: Request<Body>| {
            let frames = frames.lock().unwrap().take().unwrap();
            let mut response = Response::new(StreamBody::new(frames));
            let grpc = HeaderValue::from_static("application/grpc");
            response.headers_mut().insert(CONTENT_TYPE, grpc);
            async { Ok::<_, BoxError>(response) }
        });
        let client = AuthLayer::new(self.authorizer.clone()).layer(inner);
        let mut request = Request::post("/echo.Echo/Unary")
            .body(Body::empty())
            .unwrap();
        let kind = HeaderValue::from_static(content_type);
        request.headers_mut().insert(CONTENT_TYPE, kind);
        client.oneshot(request).await.unwrap()
    }

    /// Sends a gRPC request, and reads the whole response.
    async fn exchange(&self, frames: Vec<FrameResult>) {
        let response = self.send("application/grpc", frames).await;
        let _ = response.into_body().collect().await;
        settle().await;
    }
}

fn message() -> FrameResult {
    Ok(Frame::data(Bytes::from_static(&[0; 5])))
}

fn trailers(status: &'static str) -> FrameResult {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(status));
    Ok(Frame::trailers(trailers))
}

fn empty() -> FrameResult {
    Ok(Frame::data(Bytes::new()))
}

/// Rejects `t1` in the trailers, after these frames. Accepts every other token.
fn rejects_t1(
    before: fn() -> Vec<FrameResult>,
) -> impl Fn(Request<Body>) -> std::future::Ready<Result<Response<ApiBody>, Infallible>> + Clone {
    move |request| {
        let frames = if request.headers()[AUTHORIZATION] == "Bearer t1" {
            let mut frames = before();
            frames.push(trailers("16"));
            frames
        } else {
            vec![message(), trailers("0")]
        };
        let mut response = Response::new(StreamBody::new(stream::iter(frames).boxed()));
        let grpc = HeaderValue::from_static("application/grpc");
        response.headers_mut().insert(CONTENT_TYPE, grpc);
        std::future::ready(Ok(response))
    }
}

#[tokio::test]
async fn after_early_headers_and_no_message_the_next_call_has_another_token() {
    for before in [Vec::new, || vec![empty()]] {
        let setup = Setup::new();
        let layer = AuthLayer::new(setup.authorizer.clone());
        let mut echo = EchoClient::new(layer.layer(service_fn(rejects_t1(before))));
        let status = echo.unary("hello").await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "");
        assert_eq!(setup.source.requests(), 2);
    }
}

#[tokio::test]
async fn after_messages_the_next_call_has_another_token() {
    let setup = Setup::new();
    let layer = AuthLayer::new(setup.authorizer.clone());
    let inner = service_fn(rejects_t1(|| vec![message(), message()]));
    let mut echo = EchoClient::new(layer.layer(inner));
    let mut replies = echo.server_stream("hello").await.unwrap().into_inner();
    for _ in 0..2 {
        assert_eq!(replies.message().await.unwrap().unwrap(), "");
    }
    let status = replies.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(echo.unary("hello").await.unwrap().into_inner(), "");
    let status = setup.authorizer.tokens().unwrap().status();
    assert_eq!((setup.source.requests(), status.replays), (2, 0));
}

/// Its token may expire, or be refreshed, before a long stream ends.
#[tokio::test]
async fn the_end_of_a_stream_whose_token_is_no_longer_current_causes_no_token_request() {
    for refreshed in [false, true] {
        let setup = Setup::new();
        let (say, heard) = mpsc::channel(1);
        let frames = stream::unfold(heard, |mut heard| async {
            heard.recv().await.map(|frame| (frame, heard))
        });
        let response = setup.send_stream("application/grpc", frames.boxed()).await;
        let mut body = Box::pin(response.into_body());
        say.send(message()).await.unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        setup.clock.advance(secs(600));
        if refreshed {
            setup.authorizer.tokens().unwrap().token().await.unwrap();
        }
        say.send(trailers("16")).await.unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        settle().await;
        assert_eq!(setup.source.requests(), 1 + usize::from(refreshed));
    }
}

/// The headers of the response accept nothing: each replacement stays on probation.
#[tokio::test]
async fn an_api_that_rejects_every_token_in_the_trailers_causes_one_token_request_in_30_s() {
    let setup = Setup::new();
    for second in 0..90 {
        setup.exchange(vec![trailers("16")]).await;
        assert_eq!(setup.source.requests(), 2 + second / 30, "after {second} s");
        setup.clock.advance(secs(1));
    }
}

#[tokio::test]
async fn streams_that_each_end_with_16_after_a_message_use_the_rejection_budget() {
    let setup = Setup::new();
    for _ in 0..20 {
        setup.exchange(vec![message(), trailers("16")]).await;
    }
    assert_eq!(setup.source.requests(), 4, "the last of the budget is kept");
}

/// gRPC-Web's trailers are in the body. Its frames may be split anywhere, also within the length of a frame.
#[tokio::test]
async fn the_trailers_of_grpc_web_are_no_acceptance_however_they_are_split() {
    const TRAILERS: &[u8] = b"\x80\0\0\x01\x10grpc-status:16\r\n";
    let byte = |byte: &u8| Ok(Frame::data(Bytes::copy_from_slice(&[*byte])));
    assert!(!accepts(TRAILERS.iter().map(byte).collect()).await);
    assert!(!accepts(vec![Ok(Frame::data(Bytes::from_static(TRAILERS)))]).await);
    let message = b"\0\0\0\0\0";
    assert!(accepts(message.iter().chain(TRAILERS).map(byte).collect()).await);
}

/// Returns whether the frames of one response end the probation of a replacement.
async fn accepts(frames: Vec<FrameResult>) -> bool {
    let setup = Setup::new();
    setup.exchange(vec![trailers("16")]).await;
    assert_eq!(setup.source.requests(), 2);
    setup.exchange(frames).await;
    setup.exchange(vec![trailers("16")]).await;
    setup.source.requests() == 3
}

#[tokio::test]
async fn a_message_or_an_accepting_status_is_an_acceptance_and_the_headers_are_not() {
    assert!(accepts(vec![message(), trailers("13")]).await);
    assert!(accepts(vec![trailers("0")]).await);
    assert!(accepts(vec![empty(), trailers("7")]).await);
    assert!(!accepts(vec![trailers("14")]).await);
    assert!(!accepts(vec![trailers("16")]).await);
    assert!(!accepts(vec![]).await);
    assert!(!accepts(vec![empty()]).await);
    assert!(!accepts(vec![Err(io::Error::other("reset"))]).await);
}

#[tokio::test]
async fn trailers_are_judged_only_if_the_request_was_grpc() {
    for (kind, requests) in [
        ("application/json", 1),
        ("application/grpc+proto", 2),
        ("Application/gRPC", 2),
    ] {
        let setup = Setup::new();
        let response = setup.send(kind, [trailers("16")]).await;
        drop(response.into_body().collect().await);
        settle().await;
        assert_eq!(setup.source.requests(), requests, "{kind}");
    }
}

/// The caller may call again as soon as it has the status.
#[tokio::test(start_paused = true)]
async fn the_trailers_are_held_until_the_replacement_is_there_for_a_second_at_most() {
    for (latency, held) in [(300, 300), (999, 999), (1001, 1000), (20_000, 1000)] {
        let latency = Duration::from_millis(latency);
        let source = Scripted::expires_in(600);
        let tokens = TokenCache::builder(source.clone()).clock(TokioClock::new());
        let tokens = tokens.build();
        tokens.token().await.unwrap();
        let _slow = source.clone().latency(latency);
        let builder = Authorizer::builder(tokens).origin("https://api.example.com");
        let authorizer = builder.danger_trust_channel(true).build().unwrap();
        let layer = AuthLayer::new(authorizer);
        let inner = service_fn(rejects_t1(|| vec![message()]));
        let mut echo = EchoClient::new(layer.layer(inner));
        let mut replies = echo.server_stream("hello").await.unwrap().into_inner();
        let start = Instant::now();
        assert!(replies.message().await.unwrap().is_some());
        assert_eq!(start.elapsed(), Duration::ZERO, "messages are not held");
        let status = replies.message().await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        let elapsed = start.elapsed().as_millis();
        assert!((held..held + 3).contains(&elapsed), "{elapsed} ms");
    }
}

/// A call may have been waiting, be replayable or not: its `grpc-timeout` bounds the hold.
#[tokio::test(start_paused = true)]
async fn the_trailers_are_held_no_longer_than_the_deadline_of_the_call() {
    for (timeout, is_cold, held) in [
        (300, false, 300),
        (300, true, 200),
        (5_000, false, 1_000),
        (5_000, true, 1_000),
    ] {
        for replays in [true, false] {
            let millis = Duration::from_millis;
            let source = Scripted::expires_in(600);
            let tokens = TokenCache::builder(source.clone()).clock(TokioClock::new());
            let tokens = tokens.build();
            let _slow = source.clone().latency(millis(100));
            if !is_cold {
                tokens.token().await.unwrap();
            }
            let builder = Authorizer::builder(tokens).origin("https://api.example.com");
            let authorizer = builder.danger_trust_channel(true).build().unwrap();
            let layer = AuthLayer::new(authorizer);
            let inner = service_fn(rejects_t1(|| vec![message()]));
            let client = match replays {
                true => BoxCloneService::new(layer.layer(inner).map_response(boxed)),
                false => {
                    let client = layer.replay(auth_tower::NoReplay).layer(inner);
                    BoxCloneService::new(client.map_response(boxed))
                }
            };
            let request = Request::post("/echo.Echo/Unary")
                .header(CONTENT_TYPE, "application/grpc")
                .header("grpc-timeout", format!("{timeout}m"))
                .body(Body::empty())
                .unwrap();
            let response = client.clone().oneshot(request).await.unwrap();
            let _slow = source.clone().latency(secs(20));
            let mut body = Box::pin(response.into_body());
            assert!(body.frame().await.unwrap().unwrap().is_data());
            let start = Instant::now();
            assert!(body.frame().await.unwrap().unwrap().is_trailers());
            let elapsed = start.elapsed().as_millis();
            let expected = held..held + 3;
            assert!(
                expected.contains(&elapsed),
                "{timeout} {is_cold} {replays}: {elapsed} ms"
            );
        }
    }
}

fn boxed<B>(response: Response<B>) -> Response<UnsyncBoxBody<Bytes, B::Error>>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    response.map(BodyExt::boxed_unsync)
}

/// Without a replacement in flight there is nothing to wait for.
#[tokio::test(start_paused = true)]
async fn the_trailers_of_a_token_that_is_not_replaced_are_not_held() {
    let setup = Setup::new();
    for _ in 0..3 {
        setup.exchange(vec![message(), trailers("16")]).await;
    }
    let start = Instant::now();
    let slow = setup.source.clone().latency(secs(5));
    setup.exchange(vec![trailers("16")]).await;
    assert_eq!(start.elapsed(), Duration::ZERO, "on probation");
    assert_eq!(slow.requests(), 4);
}

#[tokio::test]
async fn frames_and_errors_pass_unchanged() {
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"\0\0\0\0\x01a"))),
        Ok(Frame::data(Bytes::from_static(b"rest"))),
        trailers("016"),
        Err(io::Error::other("reset")),
    ];
    let setup = Setup::new();
    let response = setup.send("application/grpc", frames).await;
    let mut body = Box::pin(response.into_body());
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().upper(), None);
    let mut next = async || body.frame().await;
    let data = next().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data, &b"\0\0\0\0\x01a"[..]);
    let data = next().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data, "rest");
    let trailers = next().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "016");
    assert_eq!(next().await.unwrap().unwrap_err().to_string(), "reset");
    assert!(next().await.is_none());
}
