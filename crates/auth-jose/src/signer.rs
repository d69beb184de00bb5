//! The interface of keys that sign.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use auth_core::Error;

use crate::{algorithm::Algorithm, certificate::Certificates, public_jwk::PublicJwk};

/// Signs JWTs by one key, which need not be in the process.
///
/// [`SigningKey`](crate::SigningKey) implements it for a key in memory. Implement it for a key management
/// service or a hardware security module:
///
/// ```
/// use auth_jose::{Algorithm, PublicJwk, Signer, auth_core::{Error, async_trait}};
/// # #[derive(Debug)]
/// # struct Service;
/// # impl Service {
/// #     async fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, Error> { Ok(vec![0; 64]) }
/// # }
///
/// #[derive(Debug)]
/// struct RemoteKey {
///     service: Service,
///     public_key: PublicJwk,
/// }
///
/// #[async_trait]
/// impl Signer for RemoteKey {
///     fn algorithm(&self) -> Algorithm {
///         Algorithm::Es256
///     }
///
///     async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
///         self.service.sign(message).await // 64 octets: r and s, not their DER
///     }
///
///     fn public_jwk(&self) -> Option<&PublicJwk> {
///         Some(&self.public_key)
///     }
/// }
/// ```
///
/// A signer has one key for all its life, because the header of a JWT is written before the signature. A
/// key that is replaced is another signer.
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// Returns the algorithm of the signatures.
    fn algorithm(&self) -> Algorithm;

    /// Returns the signature of `message`, as a JWS holds it ([RFC 7518
    /// §3](https://www.rfc-editor.org/rfc/rfc7518#section-3)). The signature by ECDSA is r and s, each with
    /// leading zeros in the length of the curve, and not the DER that many services return.
    ///
    /// The signature is checked before it is used: its length, and with a [public key](Self::public_jwk) the
    /// signature itself. If it is none, the token request fails with a transient error: a service may fail
    /// once.
    ///
    /// # Errors
    /// If there is no signature. The [kind](auth_core::ErrorKind) of the error decides how the cache backs
    /// off.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;

    /// Returns the signature at once, if the signer needs no I/O for it. Default: `None`.
    ///
    /// The result is `None` for each message or for none. DPoP needs such a signer, since each request
    /// carries a proof. A signature of this kind is not verified, because that would take longer than
    /// signing; its length is checked.
    fn sign_now(&self, message: &[u8]) -> Option<Result<Vec<u8>, Error>> {
        let _ = message;
        None
    }

    /// Returns the public key. Default: `None`, as for a symmetric key.
    fn public_jwk(&self) -> Option<&PublicJwk> {
        None
    }

    /// Returns the key id, which becomes the header `kid`. Default: `None`, no such header.
    fn key_id(&self) -> Option<&str> {
        None
    }

    /// Returns the certificates of the key, which become the header `x5t#S256`. Default: `None`, no such
    /// header.
    fn certificates(&self) -> Option<&Certificates> {
        None
    }

    /// Returns whether the key ends with this process, so that no other process can use the tokens that
    /// are bound to it. A [`DpopKey`](crate::DpopKey) of such a key and a shared store is an error.
    /// Default: `false`.
    fn ends_with_process(&self) -> bool {
        false
    }
}

#[async_trait]
impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn algorithm(&self) -> Algorithm {
        (**self).algorithm()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        (**self).sign(message).await
    }

    fn sign_now(&self, message: &[u8]) -> Option<Result<Vec<u8>, Error>> {
        (**self).sign_now(message)
    }

    fn public_jwk(&self) -> Option<&PublicJwk> {
        (**self).public_jwk()
    }

    fn key_id(&self) -> Option<&str> {
        (**self).key_id()
    }

    fn certificates(&self) -> Option<&Certificates> {
        (**self).certificates()
    }

    fn ends_with_process(&self) -> bool {
        (**self).ends_with_process()
    }
}
