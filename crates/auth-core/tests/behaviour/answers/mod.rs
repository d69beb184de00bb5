//! The answers of a token endpoint, by kind. Each kind is one file.

mod bounds;
mod broken_json;
mod cost;
mod denials;
mod echoed_tokens;
mod faults;
mod members;
mod retry_after;
mod tolerance;
mod unfinished_bodies;
mod unusable_tokens;

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{
    BoxError, ClientAuthentication, ClientCredentials, Error, HttpTransport, TokenCache,
    TokenRequest, TokenResponse, TokenSource, TransportBody,
};
use auth_test_support::with_timeout;
use auth_testing::TokioClock;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use tokio::time::{Instant, Sleep};

/// The backoff after the first outage and the first denial, in seconds.
const OUTAGE: std::ops::RangeInclusive<f64> = 0.8..=1.2;
const DENIAL: std::ops::RangeInclusive<f64> = 24.0..=36.0;

/// A transport with one answer to every token request.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    end: End,
    /// The time until the head of the answer.
    latency: Duration,
}

/// The way in which a body ends, after its bytes.
#[derive(Clone, Copy, Debug)]
enum End {
    Complete,
    Never,
    Broken,
    /// A space at each interval, without an end.
    Spaces(Duration),
}

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            end: End::Complete,
            latency: Duration::ZERO,
        }
    }

    fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    fn after(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    fn grant(self) -> ClientCredentials {
        let authentication = ClientAuthentication::client_secret_basic("s3cr3t");
        ClientCredentials::builder("https://as.example/oauth/token", "id", authentication)
            .scope("a b")
            .build(self)
            .unwrap()
    }

    fn cache(self) -> TokenCache {
        let clock = TokioClock::new();
        TokenCache::builder(self.grant()).clock(clock).build()
    }

    async fn read(self) -> Result<TokenResponse, Error> {
        with_timeout(self.grant().fetch(&TokenRequest::default())).await
    }

    async fn token(self) -> TokenResponse {
        self.read().await.unwrap()
    }

    async fn error(self) -> Error {
        self.read().await.unwrap_err()
    }

    /// Returns the backoff of a cache after this answer, in seconds.
    async fn backoff(self) -> f64 {
        let error = with_timeout(self.cache().token()).await.unwrap_err();
        error.retry_after().unwrap().as_secs_f64()
    }
}

#[async_trait]
impl HttpTransport for Answer {
    async fn send(&self, _request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        let body = AnswerBody {
            octets: Some(self.body.clone().into()),
            end: self.end,
            next: None,
        };
        let mut response = Response::new(TransportBody::new(body));
        *response.status_mut() = self.status.try_into().unwrap();
        for (name, value) in &self.headers {
            let name = HeaderName::from_static(name);
            let value = HeaderValue::from_bytes(value).unwrap();
            response.headers_mut().append(name, value);
        }
        Ok(response)
    }
}

struct AnswerBody {
    octets: Option<Bytes>,
    end: End,
    next: Option<Pin<Box<Sleep>>>,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(octets) = self.octets.take() {
            return Poll::Ready(Some(Ok(Frame::data(octets))));
        }
        match self.end {
            End::Complete => Poll::Ready(None),
            End::Never => Poll::Pending,
            End::Broken => Poll::Ready(Some(Err("the connection broke".into()))),
            End::Spaces(every) => {
                let next = Instant::now() + every;
                let sleep = self
                    .next
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
                std::task::ready!(sleep.as_mut().poll(cx));
                self.next = None;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b" ")))))
            }
        }
    }
}

/// A token response with these further members.
fn token_with(members: &str) -> Answer {
    let body = format!(r#"{{"access_token":"tok1","token_type":"Bearer"{members}}}"#);
    Answer::new(200, body)
}
