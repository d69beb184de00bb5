//! A token endpoint in memory, with the answers of a script.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use auth_core::{Error, HttpTransport, TransportBody};
use auth_test_support::ReadProof;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;

pub(super) const URL: &str = "https://as.example/token";
pub(super) const TOKEN: &str = r#"{"access_token":"abc","token_type":"DPoP","expires_in":600}"#;
const DEMAND: &str = r#"{"error":"use_dpop_nonce","error_description":"nonce required"}"#;

/// An answer: status, nonces and body.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    nonces: Vec<&'static str>,
    body: String,
}

impl Answer {
    pub(super) fn token() -> Self {
        Self::of(200, TOKEN)
    }

    pub(super) fn demands(nonce: &'static str) -> Self {
        Self::of(400, DEMAND).nonce(nonce)
    }

    pub(super) fn of(status: u16, body: &str) -> Self {
        Self {
            status,
            nonces: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub(super) fn nonce(mut self, nonce: &'static str) -> Self {
        self.nonces.push(nonce);
        self
    }
}

/// Gives the answers in turn, and the last one from then on. Records the token requests.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    answers: Arc<Mutex<Vec<Answer>>>,
    requests: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Endpoint {
    pub(super) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self {
            answers: Arc::new(Mutex::new(answers)),
            requests: Arc::default(),
        }
    }

    /// Returns the proofs of the token requests.
    pub(super) fn proofs(&self) -> Vec<ReadProof> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|(headers, _)| ReadProof::of(headers))
            .collect()
    }

    /// Returns the nonces of the token requests' proofs.
    pub(super) fn nonces(&self) -> Vec<Option<String>> {
        self.proofs().into_iter().map(|proof| proof.nonce).collect()
    }

    pub(super) fn forms(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(_, form)| form.clone()).collect()
    }
}

#[async_trait]
impl HttpTransport for Endpoint {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<TransportBody>, Error> {
        let (head, body) = request.into_parts();
        let form = String::from_utf8(body.to_vec()).unwrap();
        self.requests.lock().unwrap().push((head.headers, form));
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            match &answers[..] {
                [last] => last.clone(),
                _ => answers.pop().unwrap(),
            }
        };
        let mut response = Response::builder().status(answer.status);
        for nonce in answer.nonces {
            response = response.header("DPoP-Nonce", nonce);
        }
        let body = TransportBody::new(Full::new(Bytes::from(answer.body)));
        response.body(body).map_err(Error::connection)
    }
}
