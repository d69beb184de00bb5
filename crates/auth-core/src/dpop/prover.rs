//! The interface of keys that make proofs.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::claims::ProofClaims;
use crate::Error;

/// Makes the proofs of one key: signed JWTs of the type `dpop+jwt` ([RFC 9449
/// §4.2](https://www.rfc-editor.org/rfc/rfc9449#section-4.2)).
///
/// `DpopKey` of `auth-jose` implements it, for keys in memory and for keys of a key management service.
///
/// A prover has one key for all its life, because tokens are bound to it. Each proof has a `jti` of its
/// own, also if the claims are the same.
///
/// ```
/// use auth_core::{DpopProver, Error, ProofClaims, async_trait};
///
/// # #[derive(Debug)]
/// # struct Agent;
/// # impl Agent {
/// #     async fn prove(&self, _htm: &str, _htu: &str, _nonce: Option<&str>) -> String { "a.b.c".into() }
/// # }
/// /// The key of an agent on the same machine, which makes whole proofs.
/// #[derive(Debug)]
/// struct KeyOfAgent {
///     agent: Agent,
///     thumbprint: String,
/// }
///
/// #[async_trait]
/// impl DpopProver for KeyOfAgent {
///     fn thumbprint(&self) -> &str {
///         &self.thumbprint
///     }
///
///     async fn prove(&self, claims: &ProofClaims<'_>) -> Result<String, Error> {
///         // also claims.access_token() and claims.time()
///         Ok(self.agent.prove(claims.method(), claims.url(), claims.nonce()).await)
///     }
/// }
/// ```
#[async_trait]
pub trait DpopProver: fmt::Debug + Send + Sync + 'static {
    /// Returns the thumbprint of the public key ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638),
    /// SHA-256 in base64url). It is part of the key under which processes share a token.
    fn thumbprint(&self) -> &str;

    /// Returns the proof.
    ///
    /// # Errors
    /// If there is no proof. The request is then not sent.
    async fn prove(&self, claims: &ProofClaims<'_>) -> Result<String, Error>;

    /// Returns the proof at once, if no I/O is needed for it. Default: `None`.
    ///
    /// With such a prover, a request that finds its token is sent without waiting.
    fn prove_now(&self, claims: &ProofClaims<'_>) -> Option<Result<String, Error>> {
        let _ = claims;
        None
    }

    /// Returns whether the key ends with this process, so that no other process can use the tokens that
    /// are bound to it. A cache with such a key and a [shared
    /// store](crate::TokenCacheBuilder::shared_store) is an error. Default: `false`.
    fn ends_with_process(&self) -> bool {
        false
    }
}

#[async_trait]
impl<P: DpopProver + ?Sized> DpopProver for Arc<P> {
    fn thumbprint(&self) -> &str {
        (**self).thumbprint()
    }

    async fn prove(&self, claims: &ProofClaims<'_>) -> Result<String, Error> {
        (**self).prove(claims).await
    }

    fn prove_now(&self, claims: &ProofClaims<'_>) -> Option<Result<String, Error>> {
        (**self).prove_now(claims)
    }

    fn ends_with_process(&self) -> bool {
        (**self).ends_with_process()
    }
}
