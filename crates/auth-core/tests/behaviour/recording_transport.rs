//! A transport that records the token requests and gives one answer to all of them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use auth_core::{BoxError, Error, HttpTransport, TransportBody};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;

type MakeError = dyn Fn() -> BoxError + Send + Sync;

/// The token requests of a transport: headers and form.
#[derive(Clone)]
pub(crate) struct Recording {
    requests: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answer: Answer,
}

#[derive(Clone)]
enum Answer {
    Response(u16, Bytes),
    Error(Arc<MakeError>),
}

pub(crate) const TOKEN: &str = r#"{"access_token":"abc","token_type":"Bearer","expires_in":600}"#;

impl Recording {
    pub(crate) fn answering(status: u16, body: impl Into<Bytes>) -> Self {
        Self::with(Answer::Response(status, body.into()))
    }

    pub(crate) fn failing<E>(make: impl Fn() -> E + Send + Sync + 'static) -> Self
    where
        E: Into<BoxError>,
    {
        Self::with(Answer::Error(Arc::new(move || make().into())))
    }

    fn with(answer: Answer) -> Self {
        Self {
            requests: Arc::default(),
            answer,
        }
    }

    pub(crate) fn issuing() -> Self {
        Self::answering(200, TOKEN)
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        self.requests.lock().unwrap().last().unwrap().0.clone()
    }

    pub(crate) fn form(&self) -> String {
        self.requests.lock().unwrap().last().unwrap().1.clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // as a client that prints its default headers
        f.write_str("Recording { default_headers: {\"x-api-key\": \"d3f4ult\"} }")
    }
}

#[async_trait]
impl HttpTransport for Recording {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let (head, body) = request.into_parts();
        let form = String::from_utf8(body.to_vec()).unwrap();
        self.requests.lock().unwrap().push((head.headers, form));
        match &self.answer {
            Answer::Response(status, body) => {
                let response = Response::builder().status(*status);
                let body = TransportBody::new(Full::new(body.clone()));
                response.body(body).map_err(Error::connection)
            }
            Answer::Error(make) => Err(Error::connection(make())),
        }
    }
}
