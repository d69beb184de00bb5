//! What a protected resource does with a request.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use http::{HeaderMap, Request, Response, StatusCode, request::Parts};
use hyper::body::Incoming;

use super::{bearer::bearer_token, protocol::Protocol, refusal::Refusal};
#[cfg(feature = "grpc")]
use crate::grpc::GrpcServices;
use crate::{
    Answer, Fault,
    issued_tokens::{IssuedTokens, Scopes},
    lock::lock,
    loopback::{Body, Respond},
    recorder::RecordedBody,
    script::Script,
    traffic::Traffic,
};

pub(super) struct Resource {
    tokens: Arc<IssuedTokens>,
    pub(super) required: Mutex<Scopes>,
    pub(super) traffic: Traffic,
    pub(super) script: Script<Step>,
    pub(super) refuse_early: AtomicBool,
    pub(super) refusals: AtomicUsize,
    pub(super) statuses: Mutex<Vec<StatusCode>>,
    #[cfg(feature = "grpc")]
    grpc: GrpcServices,
}

/// What is done instead of a token check.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Refuse,
    Fail(Fault),
}

impl Resource {
    pub(super) fn new(tokens: &Arc<IssuedTokens>) -> Self {
        Self {
            tokens: Arc::clone(tokens),
            required: Mutex::default(),
            traffic: Traffic::new(Arc::clone(&tokens.clock)),
            script: Script::default(),
            refuse_early: AtomicBool::new(false),
            refusals: AtomicUsize::new(0),
            statuses: Mutex::default(),
            #[cfg(feature = "grpc")]
            grpc: GrpcServices::default(),
        }
    }
}

impl Respond for Resource {
    async fn respond(&self, request: Request<Incoming>) -> Option<Response<Body>> {
        let _in_flight = self.traffic.enter();
        let (head, body) = request.into_parts();
        let protocol = Protocol::of(&head.headers);
        let mut body = self.traffic.recorder.record(&head, body);
        if !protocol.answers_before_body() && !self.refuse_early.load(Relaxed) {
            body.read_fully().await?;
        }
        self.traffic.hold_back().await;
        let response = match self.script.take() {
            Some(Step::Fail(fault)) => fault.play().await?,
            Some(Step::Refuse) => self.refuse(protocol, &Refusal::InvalidToken),
            None => match self.judge(&head.headers) {
                Ok(()) => self.serve(protocol, head, body).await?,
                Err(refusal) => self.refuse(protocol, &refusal),
            },
        };
        lock(&self.statuses).push(response.status());
        Some(response)
    }
}

impl Resource {
    fn judge(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let token = bearer_token(headers)?;
        let granted = self.tokens.granted(token).ok_or(Refusal::InvalidToken)?;
        let required = lock(&self.required);
        if required.is_subset(&granted) {
            Ok(())
        } else {
            Err(Refusal::InsufficientScope(required.clone()))
        }
    }

    fn refuse(&self, protocol: Protocol, refusal: &Refusal) -> Response<Body> {
        self.refusals.fetch_add(1, Relaxed);
        let answer = match protocol {
            Protocol::Http => refusal.answer(),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => refusal.status().into(),
        };
        answer.into_response()
    }

    async fn serve(
        &self,
        protocol: Protocol,
        head: Parts,
        mut body: RecordedBody,
    ) -> Option<Response<Body>> {
        match protocol {
            Protocol::Http => {
                body.read_fully().await?;
                Some(echo(&head, body.so_far().len()).into_response())
            }
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Some(self.grpc.call(Request::from_parts(head, body)).await),
        }
    }
}

fn echo(head: &Parts, body_length: usize) -> Answer {
    let path = head.uri.path_and_query().map_or("*", |path| path.as_str());
    let json = serde_json::json!({
        "method": head.method.as_str(),
        "path": path,
        "body_length": body_length,
    });
    Answer::json(json.to_string())
}
