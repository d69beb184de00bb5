//! The token and the proof of the next sending of a request.

use std::{fmt, sync::Arc};

use super::proof::{BoundRequest, Proof};
use crate::cache::{Issued, Replacing};

/// The token and the proof of the next sending. Both are read when the request can be sent, because the
/// inner service may become ready late.
#[derive(Debug)]
pub(super) struct NextSending {
    token: NextToken,
    /// `None` for a bearer token.
    proof: Option<Box<NextProof>>,
}

/// The token of the next sending.
#[derive(Debug)]
pub(super) enum NextToken {
    /// Another one than the rejected one.
    Replacement(Replacing),
    /// The same one, which the API has not rejected, or the one that replaced it meanwhile.
    Current(Issued),
}

/// The proof of the next sending.
pub(super) struct NextProof {
    request: Arc<BoundRequest>,
    pub(super) repetitions_left: u8,
    /// The proof, and the token that it is for.
    made: Option<(Issued, Proof)>,
}

impl NextSending {
    /// Prepares the next sending. Waits for the proof, if the key needs I/O.
    pub(super) async fn new(token: NextToken, proof: Option<NextProof>) -> Self {
        let mut next = Self {
            token,
            proof: proof.map(Box::new),
        };
        if let (Some(token), Some(proof)) = (next.token(), &mut next.proof) {
            proof.prepare(token).await;
        }
        next
    }

    fn token(&self) -> Option<Issued> {
        match &self.token {
            NextToken::Replacement(replacement) => replacement.issued(),
            NextToken::Current(token) => token.current(),
        }
    }

    /// Returns the token that is current now, and the proof for it.
    pub(super) fn token_and_proof(&self) -> Option<(Issued, Option<Arc<Proof>>)> {
        let token = self.token()?;
        let proof = match &self.proof {
            Some(next) => Some(Arc::new(next.proof(&token)?)),
            None => None,
        };
        Some((token, proof))
    }
}

impl NextProof {
    /// Describes the proof that follows `proof`. `repetitions_left`: how often the request may then be
    /// repeated for a nonce.
    pub(super) fn after(proof: &Proof, repetitions_left: u8) -> Self {
        Self {
            request: Arc::clone(proof.request()),
            repetitions_left,
            made: None,
        }
    }

    /// Makes the proof, which may take I/O. If it fails, there may be no next sending.
    async fn prepare(&mut self, token: Issued) {
        if let Ok(proof) = self.request.prove(&token).await {
            self.made = Some((token, proof));
        }
    }

    /// Returns the proof for `token`. `None` if there is none, and the key needs I/O for another.
    fn proof(&self, token: &Issued) -> Option<Proof> {
        let is_for = |owner: &Issued| owner.header() == token.header();
        let mut proof = match &self.made {
            Some((owner, proof)) if is_for(owner) && proof.is_recent(token) => proof.copied(),
            _ => self.request.prove_now(token)?.ok()?,
        };
        proof.repetitions_left = self.repetitions_left;
        Some(proof)
    }
}

impl fmt::Debug for NextProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextProof")
            .field("repetitions_left", &self.repetitions_left)
            .finish_non_exhaustive()
    }
}
