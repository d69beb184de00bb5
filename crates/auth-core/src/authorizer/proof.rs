//! The proofs of a request whose token is bound to a key (RFC 9449 §7).

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method};

use super::head::{Redirect, RequestHead, ResponseHead};
use crate::{
    Dpop, Error, ErrorKind, ProofClaims,
    cache::Issued,
    dpop::{DPOP, Nonce, proof_header},
};

/// The maximum time for which a key that needs I/O may take for a proof.
const PATIENCE: Duration = Duration::from_secs(10);
/// A proof that waited for longer is made again: servers accept proofs of the last seconds or minutes
/// (RFC 9449 §11.1).
const MAX_AGE: Duration = Duration::from_secs(5);
/// How often a request may be repeated for a nonce: also if the API changes its nonce while the repetition
/// is in flight. Bounds the requests to an API that accepts none of its nonces.
const MAX_REPETITIONS: u8 = 2;

/// A request whose token is bound to a key: the parts of it that its proofs state.
pub(super) struct BoundRequest {
    dpop: Dpop,
    method: Method,
    /// Without query and fragment. Begins with the origin.
    url: String,
    origin_length: usize,
}

/// A proof for one sending of a request.
pub(super) struct Proof {
    header: HeaderValue,
    /// The nonce in the proof.
    nonce: Option<Nonce>,
    /// By the monotonic clock of the token's cache.
    made_at: Duration,
    is_local: bool,
    request: Arc<BoundRequest>,
    /// How often the request may yet be repeated if the API demands a nonce.
    pub(super) repetitions_left: u8,
}

impl BoundRequest {
    /// Describes a request to `origin`, if it is known.
    ///
    /// # Errors
    /// If the origin, the method or the path is not known: a proof states them.
    pub(super) fn new(
        dpop: &Dpop,
        request: &RequestHead<'_>,
        origin: Option<String>,
    ) -> Result<Arc<Self>, Error> {
        let Some(mut url) = origin else {
            return Err(Error::configuration(
                "request over a channel: expected a known origin for its DPoP proof (RFC 9449 section \
                 4.2), got a path; name the channel's endpoint by for_channel or for_endpoint, as one of \
                 the allowed origins",
            ));
        };
        let (Some(method), Some(path)) = (request.method, request.target.path()) else {
            return Err(Error::configuration(
                "request: expected its method and its path for its DPoP proof (RFC 9449 section 4.2), got \
                 none; the adapter passes them by RequestHead::with_method and Target::with_path",
            ));
        };
        let origin_length = url.len();
        url.push_str(path);
        Ok(Arc::new(Self {
            dpop: dpop.clone(),
            method: method.clone(),
            url,
            origin_length,
        }))
    }

    fn origin(&self) -> &str {
        self.url.get(..self.origin_length).unwrap_or_default()
    }

    /// Returns the proof at once. `None` if the key needs I/O.
    pub(super) fn prove_now(self: &Arc<Self>, token: &Issued) -> Option<Result<Proof, Error>> {
        let (nonce, now) = (self.dpop.nonces().last(self.origin()), token.now());
        let made = self.dpop.prover();
        let made = made.prove_now(&self.claims(token, nonce.as_ref(), now.wall))?;
        Some(made.and_then(|made| self.proof(&made, nonce, now.monotonic, true)))
    }

    /// Returns the proof.
    pub(super) async fn prove(self: &Arc<Self>, token: &Issued) -> Result<Proof, Error> {
        if let Some(proof) = self.prove_now(token) {
            return proof;
        }
        let (nonce, now) = (self.dpop.nonces().last(self.origin()), token.now());
        let claims = self.claims(token, nonce.as_ref(), now.wall);
        let made = token.before(now.monotonic.saturating_add(PATIENCE), async {
            self.dpop.prover().prove(&claims).await
        });
        let late = || {
            let message = "DPoP proof: expected it from the key within 10 s, got none";
            Err(Error::new(ErrorKind::Timeout, message))
        };
        let made = made.await.unwrap_or_else(late)?;
        self.proof(&made, nonce, token.now().monotonic, false)
    }

    fn claims<'a>(
        &'a self,
        token: &'a Issued,
        nonce: Option<&'a Nonce>,
        wall: Duration,
    ) -> ProofClaims<'a> {
        let claims = ProofClaims::at(wall, &self.method, &self.url);
        let claims = claims.with_access_token(token.token().secret());
        match nonce {
            Some(nonce) => claims.with_nonce(nonce.as_str()),
            None => claims,
        }
    }

    fn proof(
        self: &Arc<Self>,
        made: &str,
        nonce: Option<Nonce>,
        made_at: Duration,
        is_local: bool,
    ) -> Result<Proof, Error> {
        Ok(Proof {
            header: proof_header(made)?,
            nonce,
            made_at,
            is_local,
            request: Arc::clone(self),
            repetitions_left: MAX_REPETITIONS,
        })
    }
}

impl Proof {
    /// Sets the request's `DPoP` header. Not by `insert`, which the compiler places into the path of bearer
    /// tokens only as long as nothing else calls it.
    #[cold]
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        headers.remove(DPOP);
        headers.append(DPOP, self.header.clone());
    }

    pub(super) fn request(&self) -> &Arc<BoundRequest> {
        &self.request
    }

    /// Returns whether the key needed no I/O.
    pub(super) fn is_local(&self) -> bool {
        self.is_local
    }

    /// Returns whether the proof is recent, and has the last nonce of the API. One of a key that needs I/O
    /// is always taken as recent: making it again would be another wait.
    pub(super) fn is_recent(&self, token: &Issued) -> bool {
        let age = token.now().monotonic.saturating_sub(self.made_at);
        !self.is_local || (age <= MAX_AGE && !self.lacks_nonce())
    }

    /// Takes the nonce out of a response, unless another origin sent it.
    pub(super) fn learn(&self, response: &ResponseHead<'_>) {
        if response.redirect != Redirect::ToAnotherOrigin {
            self.learn_from(response.headers);
        }
    }

    /// Takes the nonce out of the headers or the trailers of a response of the request's origin.
    pub(super) fn learn_from(&self, fields: &HeaderMap) {
        let request = &self.request;
        let nonces = request.dpop.nonces();
        nonces.learn(request.origin(), fields, self.nonce.as_ref());
    }

    /// Returns whether another nonce is known than the one in this proof.
    pub(super) fn lacks_nonce(&self) -> bool {
        let request = &self.request;
        request.dpop.nonces().last(request.origin()) != self.nonce
    }

    /// Copies the proof, for a sending that has not happened yet.
    pub(super) fn copied(&self) -> Self {
        Self {
            header: self.header.clone(),
            nonce: self.nonce.clone(),
            request: Arc::clone(&self.request),
            ..*self
        }
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}
