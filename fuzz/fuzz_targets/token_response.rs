//! Answers of a token endpoint: a line each for the status, `Content-Type` and `Retry-After`, then
//! the body. Whatever it says, the error shows no secret and no control character.
#![no_main]

use std::{
    pin::pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use auth_core::{ClientAuthentication, ClientCredentials, Error, HttpTransport, TokenRequest, TokenSource, TransportBody, async_trait};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "s3cr3t/s3cr3t";
/// As it is written in a form, and in Basic together with the id.
const FORMS: [&str; 3] = [SECRET, "s3cr3t%2Fs3cr3t", "aWQ6czNjcjN0JTJGczNjcjN0"];

#[derive(Debug)]
struct Canned(Mutex<Option<Response<TransportBody>>>);

#[async_trait]
impl HttpTransport for Canned {
    async fn send(&self, _request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let mut answer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(answer.take().expect("one request is sent"))
    }
}

/// None: no HTTP client would take such an answer.
fn answer(text: &[u8]) -> Option<Response<TransportBody>> {
    let mut parts = text.splitn(4, |&octet| octet == b'\n');
    let status = StatusCode::from_bytes(parts.next()?).ok()?;
    let kind = HeaderValue::from_bytes(parts.next()?).ok()?;
    let wait = HeaderValue::from_bytes(parts.next()?).ok()?;
    let body = Full::from(parts.next()?.to_vec()).map_err(|never| match never {});
    let mut response = Response::new(TransportBody::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    Some(response)
}

fuzz_target!(|text: &[u8]| {
    let Some(answer) = answer(text) else { return };
    let authentication = ClientAuthentication::client_secret_basic(SECRET);
    let client = ClientCredentials::builder("https://as.example/token", "id", authentication)
        .build(Canned(Mutex::new(Some(answer))))
        .expect("a good configuration");
    let request = TokenRequest::default();
    let mut fetched = pin!(client.fetch(&request));
    let Poll::Ready(fetched) = fetched
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("there is nothing to wait for");
    };
    if let Err(error) = fetched {
        let shown = error.to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
        for said in [shown, format!("{error:?}")] {
            assert!(!FORMS.iter().any(|form| said.contains(form)), "{said}");
            assert!(said.len() < 16 * 1024, "{} octets", said.len());
        }
    }
});
