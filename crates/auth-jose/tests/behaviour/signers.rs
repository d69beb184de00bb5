//! Signers outside the process: what they return is checked.

use std::sync::Arc;

use auth_jose::{
    Algorithm, Jwt, PublicJwk, Signer, SigningKey,
    auth_core::{Error, ErrorKind, async_trait},
};

use crate::keys::key;

/// Returns a prepared signature, or the signature of its key.
#[derive(Debug)]
struct Remote {
    algorithm: Algorithm,
    public_jwk: Option<PublicJwk>,
    signs: Signs,
}

#[derive(Debug)]
enum Signs {
    As(Vec<u8>),
    By(SigningKey),
    Not,
}

#[async_trait]
impl Signer for Remote {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.signs {
            Signs::As(signature) => Ok(signature.clone()),
            Signs::By(key) => key.sign(message).await,
            Signs::Not => Err(Error::new(ErrorKind::Unavailable, "the service is down")),
        }
    }

    fn public_jwk(&self) -> Option<&PublicJwk> {
        self.public_jwk.as_ref()
    }
}

fn remote(algorithm: Algorithm, signature: &[u8]) -> Remote {
    Remote {
        algorithm,
        public_jwk: None,
        signs: Signs::As(signature.into()),
    }
}

async fn error(signer: &dyn Signer) -> Error {
    Jwt::new().sign(signer).await.unwrap_err()
}

#[tokio::test]
async fn a_signature_of_another_length_is_an_error() {
    let rsa = PublicJwk::from_pem(key!("rsa2048-public.pem")).unwrap();
    let mut der = vec![0x30];
    der.resize(71, 1);
    for (signer, told) in [
        (
            remote(Algorithm::Es256, &[]),
            "a signature of 64 octets by ES256, got one of 0",
        ),
        (
            remote(Algorithm::Es256, &der),
            "a signature of 64 octets by ES256, got one of 71; it may be in DER, and has to be r and s",
        ),
        (
            remote(Algorithm::Es384, &[1; 64]),
            "a signature of 96 octets by ES384, got one of 64",
        ),
        (
            remote(Algorithm::EdDsa, &[1; 65]),
            "a signature of 64 octets by EdDSA, got one of 65",
        ),
        (
            remote(Algorithm::Hs256, &[1; 31]),
            "a signature of 32 octets by HS256, got one of 31",
        ),
        (
            remote(Algorithm::Rs256, &[1; 255]),
            "a signature of at least 256 octets by RS256, got one of 255",
        ),
        (
            Remote {
                public_jwk: Some(rsa),
                ..remote(Algorithm::Ps256, &[1; 384])
            },
            "a signature of 256 octets by PS256, got one of 384",
        ),
    ] {
        let error = error(&signer).await;
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.is_transient(), "a service may fail once");
        assert_eq!(error.to_string(), format!("signer: expected {told}"));
    }
    // without a public key only the length can be checked
    let signer = remote(Algorithm::Es256, &[1; 64]);
    assert!(Jwt::new().sign(&signer).await.is_ok());
}

#[tokio::test]
async fn a_signature_that_the_public_key_does_not_verify_is_an_error() {
    let pss = SigningKey::from_pem(key!("rsa2048.pem")).unwrap();
    for key in [
        SigningKey::generate(Algorithm::Es256).unwrap(),
        SigningKey::generate(Algorithm::Es384).unwrap(),
        SigningKey::generate(Algorithm::EdDsa).unwrap(),
        SigningKey::from_pem(key!("rsa2048.pem")).unwrap(),
        pss.with_algorithm(Algorithm::Ps256).unwrap(),
    ] {
        let algorithm = key.algorithm();
        let public_jwk = key.public_jwk().cloned();
        let length = key.sign(b"").await.unwrap().len();
        let signer = |signs| Remote {
            algorithm,
            public_jwk: public_jwk.clone(),
            signs,
        };
        let garbage = error(&signer(Signs::As(vec![7; length]))).await;
        assert_eq!(
            garbage.to_string(),
            format!(
                "signer: expected a signature by {algorithm} of its public key, got octets that this key \
                 does not verify"
            )
        );
        assert!(garbage.is_transient(), "a service may fail once");
        let of_other_message = key.sign(b"other").await.unwrap();
        error(&signer(Signs::As(of_other_message))).await;
        // through an `Arc`, as signers are shared
        let good: Arc<dyn Signer> = Arc::new(signer(Signs::By(key)));
        assert!(Jwt::new().sign(&good).await.is_ok());
    }
}

#[tokio::test]
async fn a_public_key_of_another_type_is_an_error() {
    let signer = Remote {
        public_jwk: Some(PublicJwk::from_pem(key!("rsa2048-public.pem")).unwrap()),
        ..remote(Algorithm::Es256, &[1; 64])
    };
    assert_eq!(
        error(&signer).await.to_string(),
        "signer: expected a public key for ES256, got one of another type"
    );
}

#[tokio::test]
async fn the_error_of_a_signer_is_passed_on() {
    let signer = Remote {
        signs: Signs::Not,
        ..remote(Algorithm::Es256, &[])
    };
    let error = error(&signer).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_transient());
}

#[test]
fn a_signer_outside_the_process_does_not_sign_at_once() {
    let signer = remote(Algorithm::Es256, &[1; 64]);
    assert!(Jwt::new().sign_now(&signer).is_none());
}
