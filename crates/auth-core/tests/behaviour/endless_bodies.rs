//! Bodies that never yield are broken off, on a runtime with one thread.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{
    ClientAuthentication, ClientCredentials, Error, ErrorKind, HttpTransport, TokenCache,
    TokenRequest, TokenSource, TransportBody,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};

/// Always ready, with another frame without data. It ends after a bound, so that a test that
/// reads all of it fails instead of hanging.
#[derive(Clone, Debug)]
struct Endless {
    status: u16,
    trailers: bool,
    frames: Arc<AtomicUsize>,
}

const END: usize = 50_000_000;

impl Body for Endless {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let number = self.frames.fetch_add(1, SeqCst);
        let frame = match self.trailers {
            true => Frame::trailers(HeaderMap::new()),
            false => Frame::data(Bytes::new()),
        };
        Poll::Ready((number < END).then_some(Ok(frame)))
    }
}

#[async_trait]
impl HttpTransport for Endless {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let response = Response::builder().status(self.status);
        let body = TransportBody::new(self.clone());
        response.body(body).map_err(Error::connection)
    }
}

fn endless(status: u16, trailers: bool) -> (ClientCredentials, Arc<AtomicUsize>) {
    let frames = Arc::new(AtomicUsize::new(0));
    let transport = Endless {
        status,
        trailers,
        frames: frames.clone(),
    };
    let authentication = ClientAuthentication::client_secret_basic("s3cr3t-of-it");
    let source = ClientCredentials::builder("https://as.example/token", "id", authentication);
    (source.build(transport).unwrap(), frames)
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn endless_body_of_empty_frames_is_broken_off() {
    for trailers in [false, true] {
        for (status, kind) in [
            (200, ErrorKind::InvalidResponse),
            (401, ErrorKind::Denied),
            (503, ErrorKind::Unavailable),
        ] {
            let (source, frames) = endless(status, trailers);
            let error = source.fetch(&TokenRequest::default()).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(frames.load(SeqCst) < 100_000, "{}", frames.load(SeqCst));
        }
    }
}

/// Another task of the thread runs while the body is read.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn endless_body_lets_other_tasks_of_the_thread_run() {
    let (source, frames) = endless(200, false);
    let seen = frames.clone();
    let other = tokio::spawn(async move {
        while seen.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        seen.load(SeqCst)
    });
    let tokens = TokenCache::new(source);
    tokens.token().await.unwrap_err();
    assert!(other.await.unwrap() < 1_000, "the other task ran too late");
}

/// A real body in many small frames is read: one octet in each.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_token_response_in_frames_of_one_octet_is_read() {
    #[derive(Debug)]
    struct Octets;

    #[async_trait]
    impl HttpTransport for Octets {
        async fn send(&self, _: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
            let padding = " ".repeat(16 * 1024);
            let text = format!("{padding}{}", crate::recording_transport::TOKEN);
            let frames = text
                .into_bytes()
                .into_iter()
                .map(|octet| Ok::<_, Error>(Frame::data(Bytes::copy_from_slice(&[octet]))));
            let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
            Ok(Response::new(TransportBody::new(body)))
        }
    }

    let authentication = ClientAuthentication::client_secret_basic("s3cr3t-of-it");
    let source = ClientCredentials::builder("https://as.example/token", "id", authentication);
    let source = source.build(Octets).unwrap();
    let response = source.fetch(&TokenRequest::default()).await.unwrap();
    assert_eq!(response.expires_in(), Some(Duration::from_secs(600)));
}
