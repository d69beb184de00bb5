//! The time of a proof of DPoP, compared with that of a bare signature.
//!
//! A proof is measured as an adapter asks for it: the decision about a request that finds its token, whose
//! attempt has the header of the proof. Its claims have the hash of a token of realistic size, and a nonce.
//! The floor signs as many bytes as a proof signs, by ring and by the same key.

// a bench whose set-up fails ends with a panic
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use auth_core::{
    Authorizer, Dpop, Error, TokenCache, TokenRequest, TokenResponse, TokenSource,
    adapter::{Attempt, Decision, Verdict},
};
use auth_jose::{Algorithm, DpopKey, SigningKey};
use bench_support::interleaved::{Interleaved, Iterations, print_table};
use bench_support::{fill, token};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, Request, Response};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PSS_SHA256, RsaKeyPair,
    },
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

const GROUP: &str = "dpop";
const ORIGIN: &str = "https://api.example.com";
const URL: &str = "https://api.example.com/orders/2026/11?page=2";
const NONCE: &str = "eyJ7S_zG.eyJH0-Z.HX4w-7v";
const ROUNDS: usize = 100;
const BATCH: Duration = Duration::from_millis(20);
const RSA: &[u8] = include_bytes!("../crates/auth-jose/tests/keys/rsa2048.pem");

/// Issues a token that is bound to a key, at once.
#[derive(Debug)]
struct Bound(Dpop);

#[async_trait]
impl TokenSource for Bound {
    async fn fetch(&self, _request: &TokenRequest) -> Result<TokenResponse, Error> {
        Ok(TokenResponse::dpop(token())?.with_expires_in(Duration::from_secs(3600)))
    }

    fn dpop(&self) -> Option<Dpop> {
        Some(self.0.clone())
    }
}

/// An authorizer that has a token and a nonce, and a request to its API.
struct Client {
    authorizer: Authorizer,
    request: Request<()>,
}

impl Client {
    fn new(key: SigningKey) -> Self {
        let key = Dpop::new(DpopKey::new(key).unwrap()).unwrap();
        let tokens = TokenCache::new(Bound(key));
        fill(&tokens);
        let authorizer = Authorizer::builder(tokens).origin(ORIGIN).build().unwrap();
        let request = Request::get(URL).body(()).unwrap();
        let client = Self {
            authorizer,
            request,
        };
        let response = Response::builder().header("dpop-nonce", NONCE).body(());
        let verdict = client.attempt().classify(&response.unwrap(), false);
        assert!(matches!(verdict, Verdict::Deliver));
        client
    }

    fn attempt(&self) -> Attempt {
        match self.authorizer.authorize(&self.request) {
            Decision::Authorize(attempt) => attempt,
            other => panic!("expected a proof at once, got {other:?}"),
        }
    }

    /// Returns the number of bytes that a proof signs.
    fn signed_length(&self) -> usize {
        let mut headers = HeaderMap::new();
        self.attempt().apply(&mut headers);
        let proof = headers["dpop"].to_str().unwrap();
        proof.rfind('.').unwrap()
    }
}

/// Adds the proofs of a key, and the bare signatures of the same key.
fn add<'a>(
    rounds: &mut Interleaved<'a>,
    name: &'static str,
    key: SigningKey,
    sign: impl Fn(&[u8]) + 'a,
) {
    let client = Client::new(key);
    let message = vec![b'x'; client.signed_length()];
    println!("{GROUP}: a proof by {name} signs {} bytes", message.len());
    let iterations = Iterations::lasting(BATCH);
    rounds.function(format!("{name}_signature"), iterations, move |count| {
        time(count, || sign(&message))
    });
    rounds.function(format!("{name}_proof"), iterations, move |count| {
        time(count, || {
            black_box(client.attempt());
        })
    });
    rounds.figure(
        format!("proofs per second by {name}, over bare signatures"),
        move |round| {
            round.time(&format!("{name}_signature")) / round.time(&format!("{name}_proof"))
        },
    );
}

fn time(count: u64, mut run: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..count {
        run();
    }
    started.elapsed()
}

fn add_es256(rounds: &mut Interleaved<'_>) {
    let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    let key = SigningKey::from_pkcs8_der(document.as_ref()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
    add(rounds, "es256", key, move |message| {
        black_box(pair.sign(&random, message).unwrap());
    });
}

fn add_eddsa(rounds: &mut Interleaved<'_>) {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let key = SigningKey::from_pkcs8_der(document.as_ref()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    add(rounds, "eddsa", key, move |message| {
        black_box(pair.sign(message));
    });
}

fn add_ps256(rounds: &mut Interleaved<'_>) {
    let document = PrivatePkcs8KeyDer::from_pem_slice(RSA).unwrap();
    let document = document.secret_pkcs8_der();
    let key = SigningKey::from_pkcs8_der(document).unwrap();
    let key = key.with_algorithm(Algorithm::Ps256).unwrap();
    let pair = RsaKeyPair::from_pkcs8(document).unwrap();
    let random = SystemRandom::new();
    add(rounds, "ps256", key, move |message| {
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)
            .unwrap();
        black_box(&signature);
    });
}

fn dpop(c: &mut Criterion) {
    let mut rounds = Interleaved::new(GROUP, ROUNDS);
    add_es256(&mut rounds);
    add_eddsa(&mut rounds);
    add_ps256(&mut rounds);
    let mut group = c.benchmark_group(GROUP);
    rounds.run(&mut group);
    group.finish();
    print_table(GROUP);
}

criterion_group!(benches, dpop);
criterion_main!(benches);
