//! Proofs that a test can read, for tests without a signature.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use auth_core::{DpopProver, Error, ProofClaims};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// The thumbprint of every [`ReadableProver`].
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

/// A prover whose proofs are its claims in base64url, and a number in place of the signature.
#[derive(Clone, Debug)]
pub struct ReadableProver {
    thumbprint: &'static str,
    is_remote: bool,
    ends_with_process: bool,
    /// Each proof of a remote key takes a permit.
    gate: Arc<Semaphore>,
    proofs: Arc<AtomicUsize>,
}

/// The claims of a proof, as a test reads them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReadProof {
    /// The number of the proof, in place of `jti`.
    pub number: usize,
    /// The claim `htm`.
    pub method: String,
    /// The claim `htu`.
    pub url: String,
    /// The token, in place of its hash.
    pub access_token: Option<String>,
    /// The claim `nonce`.
    pub nonce: Option<String>,
    /// The time since 1970.
    pub time: Duration,
}

impl ReadableProver {
    /// Returns a key in the process.
    pub fn local() -> Self {
        Self {
            thumbprint: THUMBPRINT,
            is_remote: false,
            ends_with_process: false,
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            proofs: Arc::default(),
        }
    }

    /// Returns a key that needs I/O, of which [`permit`](Self::permit) permits each.
    pub fn remote() -> Self {
        Self {
            is_remote: true,
            gate: Arc::new(Semaphore::new(0)),
            ..Self::local()
        }
    }

    /// Returns a key that ends with this process.
    pub fn generated() -> Self {
        Self {
            ends_with_process: true,
            ..Self::local()
        }
    }

    /// Sets another thumbprint.
    pub fn with_thumbprint(mut self, thumbprint: &'static str) -> Self {
        self.thumbprint = thumbprint;
        self
    }

    /// Permits this number of proofs of a remote key.
    pub fn permit(&self, proofs: usize) {
        self.gate.add_permits(proofs);
    }

    /// Returns the number of proofs so far.
    pub fn proofs(&self) -> usize {
        self.proofs.load(SeqCst)
    }

    fn proof(&self, claims: &ProofClaims<'_>) -> String {
        let number = self.proofs.fetch_add(1, SeqCst) + 1;
        let claims = json!({
            "htm": claims.method(),
            "htu": claims.url(),
            "access_token": claims.access_token(),
            "nonce": claims.nonce(),
            "ms": claims.time().as_secs() * 1000 + u64::from(claims.time().subsec_millis()),
        });
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("e30.{claims}.{number}")
    }
}

#[async_trait]
impl DpopProver for ReadableProver {
    fn thumbprint(&self) -> &str {
        self.thumbprint
    }

    async fn prove(&self, claims: &ProofClaims<'_>) -> Result<String, Error> {
        let permit = self.gate.acquire().await;
        permit
            .map_err(|_| Error::configuration("the gate is closed"))?
            .forget();
        Ok(self.proof(claims))
    }

    fn prove_now(&self, claims: &ProofClaims<'_>) -> Option<Result<String, Error>> {
        (!self.is_remote).then(|| Ok(self.proof(claims)))
    }

    fn ends_with_process(&self) -> bool {
        self.ends_with_process
    }
}

impl ReadProof {
    /// Reads the proof of a request, which has exactly one.
    pub fn of(headers: &HeaderMap) -> Self {
        let values: Vec<_> = headers.get_all("dpop").iter().collect();
        let [value] = values[..] else {
            panic!("expected one DPoP header, got {}", values.len());
        };
        let parts: Vec<_> = value.to_str().unwrap().split('.').collect();
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        Self {
            number: parts[2].parse().unwrap(),
            method: text("htm").unwrap(),
            url: text("htu").unwrap(),
            access_token: text("access_token"),
            nonce: text("nonce"),
            time: Duration::from_millis(claims["ms"].as_u64().unwrap()),
        }
    }
}
