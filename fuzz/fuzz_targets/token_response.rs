//! Reads the responses of a token endpoint. The input has a line each for the status,
//! `Content-Type` and `Retry-After`, followed by the body. An error shows no secret and no control
//! character.
#![no_main]

use std::{
    pin::pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use auth_core::{
    ClientAuthentication, ClientCredentials, Error, HttpTransport, TokenRequest, TokenSource,
    TransportBody, async_trait,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "s3cr3t/s3cr3t";
/// The secret itself, in a form, and in HTTP Basic together with the id.
const FORMS: [&str; 3] = [SECRET, "s3cr3t%2Fs3cr3t", "aWQ6czNjcjN0JTJGczNjcjN0"];

#[derive(Debug)]
struct FixedResponse(Mutex<Option<Response<TransportBody>>>);

#[async_trait]
impl HttpTransport for FixedResponse {
    async fn send(&self, _request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let mut response = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(response.take().expect("one request is sent"))
    }
}

/// Returns the response that `text` describes. `None` if no HTTP client would accept it.
fn response(text: &[u8]) -> Option<Response<TransportBody>> {
    let mut parts = text.splitn(4, |&octet| octet == b'\n');
    let status = StatusCode::from_bytes(parts.next()?).ok()?;
    let kind = HeaderValue::from_bytes(parts.next()?).ok()?;
    let retry_after = HeaderValue::from_bytes(parts.next()?).ok()?;
    let body = Full::from(parts.next()?.to_vec()).map_err(|never| match never {});
    let mut response = Response::new(TransportBody::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, retry_after);
    Some(response)
}

fuzz_target!(|text: &[u8]| {
    let Some(response) = response(text) else {
        return;
    };
    let authentication = ClientAuthentication::client_secret_basic(SECRET);
    let client = ClientCredentials::builder("https://as.example/token", "id", authentication)
        .build(FixedResponse(Mutex::new(Some(response))))
        .expect("the configuration is valid");
    let request = TokenRequest::default();
    let mut fetched = pin!(client.fetch(&request));
    let Poll::Ready(fetched) = fetched
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("the response is available at once");
    };
    if let Err(error) = fetched {
        let shown = error.to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
        for text in [shown, format!("{error:?}")] {
            assert!(!FORMS.iter().any(|form| text.contains(form)), "{text}");
            assert!(text.len() < 16 * 1024, "{} octets", text.len());
        }
    }
});
