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
    /// A token if the form ends with the text, else a 401 with the body.
    ByForm(Arc<Mutex<&'static str>>, &'static str),
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

    /// Issues a token if the form ends with `accepted`, and denies all others.
    pub(crate) fn accepting(accepted: &'static str, denial: &'static str) -> Self {
        Self::with(Answer::ByForm(Arc::new(Mutex::new(accepted)), denial))
    }

    /// Accepts other forms from now on.
    pub(crate) fn accept(&self, accepted: &'static str) {
        if let Answer::ByForm(current, _) = &self.answer {
            *current.lock().unwrap() = accepted;
        }
    }

    pub(crate) fn forms(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(_, form)| form.clone()).collect()
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
        let (status, body) = match &self.answer {
            Answer::Response(status, body) => (*status, body.clone()),
            Answer::ByForm(accepted, _) if form.ends_with(*accepted.lock().unwrap()) => {
                (200, Bytes::from_static(TOKEN.as_bytes()))
            }
            Answer::ByForm(_, denial) => (401, Bytes::from_static(denial.as_bytes())),
            Answer::Error(make) => {
                self.requests.lock().unwrap().push((head.headers, form));
                return Err(Error::connection(make()));
            }
        };
        self.requests.lock().unwrap().push((head.headers, form));
        let response = Response::builder().status(status);
        let body = TransportBody::new(Full::new(body));
        response.body(body).map_err(Error::connection)
    }
}
