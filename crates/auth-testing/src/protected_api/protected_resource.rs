//! The protected resource: checks the token of each request, and responds.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use auth_core::AccessTokenType;
use http::{HeaderMap, Request, Response, StatusCode, request::Parts};
use hyper::body::Incoming;

use super::{presented_token::presented_token, rejection::Rejection};
#[cfg(feature = "grpc")]
use crate::grpc::GrpcServices;
use crate::{
    answer::Answer,
    dpop::{DPOP_NONCE, ProofChecks, request_url},
    fault::Fault,
    issued_tokens::{IssuedTokens, Scopes},
    loopback::{Body, Respond},
    peer_certificate::PeerCertificate,
    recorder::RecordedBody,
    script::Script,
    sync::lock,
    traffic::Traffic,
};

pub(super) struct ProtectedResource {
    tokens: Arc<IssuedTokens>,
    scheme: &'static str,
    pub(super) required: Mutex<Scopes>,
    pub(super) traffic: Traffic,
    pub(super) script: Script<Step>,
    pub(super) proofs: ProofChecks,
    pub(super) reject_early: AtomicBool,
    pub(super) rejections: AtomicUsize,
    pub(super) statuses: Mutex<Vec<StatusCode>>,
    #[cfg(feature = "grpc")]
    grpc: GrpcServices,
}

/// The treatment of a request in place of a token check.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Reject,
    Fail(Fault),
}

impl ProtectedResource {
    pub(super) fn new(tokens: &Arc<IssuedTokens>, scheme: &'static str) -> Self {
        Self {
            scheme,
            tokens: Arc::clone(tokens),
            required: Mutex::default(),
            traffic: Traffic::new(Arc::clone(&tokens.clock)),
            script: Script::default(),
            proofs: ProofChecks::default(),
            reject_early: AtomicBool::new(false),
            rejections: AtomicUsize::new(0),
            statuses: Mutex::default(),
            #[cfg(feature = "grpc")]
            grpc: GrpcServices::default(),
        }
    }
}

impl Respond for ProtectedResource {
    async fn respond(&self, request: Request<Incoming>) -> Option<Response<Body>> {
        let _in_flight = self.traffic.enter();
        let (head, body) = request.into_parts();
        let protocol = Protocol::of(&head.headers);
        let mut body = self.traffic.recorder.record(&head, body);
        if !protocol.responds_before_body() && !self.reject_early.load(Relaxed) {
            body.read_fully().await?;
        }
        self.traffic.hold_back().await;
        let presented = presented_token(&head.headers);
        let token_type = presented.map_or(AccessTokenType::Bearer, |(token_type, _)| token_type);
        let mut response = match self.script.take() {
            Some(Step::Fail(fault)) => fault.response().await?,
            Some(Step::Reject) => self.reject(protocol, token_type, &Rejection::InvalidToken),
            None => match self.check_token(&head) {
                Ok(()) => self.serve(protocol, head, body).await?,
                Err(rejection) => self.reject(protocol, token_type, &rejection),
            },
        };
        if let (AccessTokenType::Dpop, Some(nonce)) = (token_type, self.proofs.nonce()) {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
        lock(&self.statuses).push(response.status());
        Some(response)
    }
}

impl ProtectedResource {
    fn check_token(&self, head: &Parts) -> Result<(), Rejection> {
        let (token_type, token) = presented_token(&head.headers)?;
        let certificate = head.extensions.get::<PeerCertificate>();
        let certificate = certificate.map(|certificate| &*certificate.thumbprint);
        if !self.tokens.accepts_certificate(token, certificate) {
            return Err(Rejection::InvalidToken);
        }
        let (issued, granted) = self.tokens.granted(token).ok_or(Rejection::InvalidToken)?;
        // RFC 9449 §7.2: a bound token is no bearer token
        if issued != token_type {
            return Err(Rejection::InvalidToken);
        }
        if token_type == AccessTokenType::Dpop {
            let url = request_url(self.scheme, &head.uri, &head.headers);
            let checked = self.proofs.check(&head.method, &url, &head.headers);
            checked.map_err(Rejection::Proof)?;
        }
        let required = lock(&self.required);
        if required.is_subset(&granted) {
            Ok(())
        } else {
            Err(Rejection::InsufficientScope(required.clone()))
        }
    }

    fn reject(
        &self,
        protocol: Protocol,
        token_type: AccessTokenType,
        rejection: &Rejection,
    ) -> Response<Body> {
        self.rejections.fetch_add(1, Relaxed);
        let answer = match protocol {
            Protocol::Http => rejection.answer(token_type),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => rejection.status(token_type).into(),
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
                Some(echo(&head, body.received().len()).into_response())
            }
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Some(self.grpc.call(Request::from_parts(head, body)).await),
        }
    }
}

/// Returns the response to a request with an accepted token.
fn echo(head: &Parts, body_length: usize) -> Answer {
    let path = head.uri.path_and_query().map_or("*", |path| path.as_str());
    let json = serde_json::json!({
        "method": head.method.as_str(),
        "path": path,
        "body_length": body_length,
    });
    Answer::json(json.to_string())
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Protocol {
    Http,
    #[cfg(feature = "grpc")]
    Grpc,
}

impl Protocol {
    #[cfg(feature = "grpc")]
    fn of(headers: &HeaderMap) -> Self {
        const GRPC: &[u8] = b"application/grpc";
        let kind = headers.get(http::header::CONTENT_TYPE);
        let prefix = kind.and_then(|kind| kind.as_bytes().get(..GRPC.len()));
        match prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(GRPC)) {
            true => Self::Grpc,
            false => Self::Http,
        }
    }

    #[cfg(not(feature = "grpc"))]
    fn of(_: &HeaderMap) -> Self {
        Self::Http
    }

    /// Returns whether the response may come before the end of the body. A client may keep a gRPC
    /// stream open until it has the response.
    fn responds_before_body(self) -> bool {
        self != Self::Http
    }
}
