//! The key to which a source's tokens are bound.

use std::{fmt, sync::Arc};

use super::{nonces::Nonces, prover::DpopProver};
use crate::Error;

/// The key to which the tokens of a source are bound, and the nonces that APIs have sent for its proofs
/// ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
///
/// [`TokenSource::dpop`](crate::TokenSource::dpop) returns it. A source that uses a
/// [`TokenEndpoint`](crate::TokenEndpoint) returns that of the
/// [endpoint](crate::TokenEndpoint::dpop). Clones share the key and the nonces.
///
/// ```
/// use auth_core::{Dpop, DpopProver, Error};
///
/// # fn example(prover: impl DpopProver) -> Result<(), Error> {
/// let dpop = Dpop::new(prover)?;
/// println!("tokens are bound to {}", dpop.thumbprint());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Dpop(Arc<Inner>);

struct Inner {
    prover: Box<dyn DpopProver>,
    nonces: Nonces,
}

impl Dpop {
    /// Creates the key of `prover`.
    ///
    /// # Errors
    /// If the thumbprint is not 43 characters of base64url, as those of SHA-256 are.
    pub fn new(prover: impl DpopProver) -> Result<Self, Error> {
        let thumbprint = prover.thumbprint();
        let is_base64url = |octet: u8| octet.is_ascii_alphanumeric() || b"-_".contains(&octet);
        if thumbprint.len() != 43 || !thumbprint.bytes().all(is_base64url) {
            return Err(Error::configuration(
                "DPoP key: expected a thumbprint of 43 characters in base64url (RFC 7638, SHA-256), got \
                 another text",
            ));
        }
        Ok(Self(Arc::new(Inner {
            prover: Box::new(prover),
            nonces: Nonces::default(),
        })))
    }

    /// Returns the thumbprint of the public key.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        self.0.prover.thumbprint()
    }

    /// Checks that other processes can have the key, where they share the tokens that are bound to it.
    pub(crate) fn check_is_shared(&self) -> Result<(), Error> {
        if !self.0.prover.ends_with_process() {
            return Ok(());
        }
        Err(Error::configuration(
            "DPoP key: expected one key for all processes that use the shared store, got a key that was \
             generated in this process; read the key from a file that all of them have, or use no shared \
             store",
        ))
    }

    pub(crate) fn prover(&self) -> &dyn DpopProver {
        &*self.0.prover
    }

    /// Returns the nonces of APIs. The token endpoint's own is kept there.
    pub(crate) fn nonces(&self) -> &Nonces {
        &self.0.nonces
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop")
            .field("prover", &self.0.prover)
            .finish_non_exhaustive()
    }
}
