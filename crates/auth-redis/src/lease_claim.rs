//! The value of a lease: who holds it, until when by the server's clock, and the proof of that,
//! `lease2:<holder>:<state>:<duration in ms>:<end in ms since 1970>:<tag>`.
//!
//! The tag is an HMAC over the value and the name of the lease's key, by a key that is derived from
//! the seal key. A client that has no seal key can therefore restore a claim that it has recorded
//! under that name, until the claim's end, and cannot make one. Without seal keys there is no proof.

use std::time::Duration;

use auth_core::shared_store::SharedKey;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    format::{KeyNames, millis, until},
    seal_keys::{SealKey, SealKeys},
    token_codec::TokenCodec,
};

const FORMAT: &str = "lease2";
const NO_PROOF: &str = "plain";

/// The max duration of a lease, and the max delay before a lease is released.
pub(crate) const MAX_LEASE: Duration = Duration::from_secs(60);
/// The time for which the failure is known that a claim to back off tells, after the end of the claim.
/// The next process may need as long until its own next attempt.
const FAILURE_KNOWN: Duration = Duration::from_secs(15);

/// Identifies one acquisition of a lease: random.
pub(crate) type HolderId = [u8; 16];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClaimState {
    /// The holder requests a token.
    Requesting,
    /// The holder requests a token, after the token request of the holder before has failed.
    RequestingAgain,
    /// The holder's token request has failed. No process requests a token until the claim ends.
    BackingOff,
}

/// A statement of the holder of a lease.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Claim {
    pub(crate) holder: HolderId,
    pub(crate) state: ClaimState,
    pub(crate) duration: Duration,
    /// By the server's clock, in milliseconds.
    pub(crate) end: u64,
}

impl Claim {
    /// Returns a claim from `now`, by the server's clock in milliseconds.
    pub(crate) fn new(holder: HolderId, state: ClaimState, duration: Duration, now: u64) -> Self {
        let duration = duration.clamp(Duration::from_millis(1), MAX_LEASE);
        Self {
            holder,
            state,
            duration,
            end: now.saturating_add(millis(duration)),
        }
    }

    /// Returns how long the claim lasts from `now`. `None` if it has ended, or ends later than any
    /// claim that was made by now.
    pub(crate) fn left(&self, now: u64) -> Option<Duration> {
        let left = until(self.end, now, self.duration)?;
        (!left.is_zero() && self.duration <= MAX_LEASE).then_some(left)
    }

    /// Returns the state of a holder that requests a token at `now`, after this claim.
    pub(crate) fn next_state(&self, now: u64) -> ClaimState {
        let since_end = now.checked_sub(self.end).map(Duration::from_millis);
        let is_known = since_end.is_some_and(|since_end| since_end <= FAILURE_KNOWN);
        match self.state == ClaimState::BackingOff && is_known {
            true => ClaimState::RequestingAgain,
            false => ClaimState::Requesting,
        }
    }

    /// Returns the time for which the server keeps the claim.
    pub(crate) fn kept(&self) -> Duration {
        match self.state {
            ClaimState::Requesting | ClaimState::RequestingAgain => self.duration,
            ClaimState::BackingOff => self.duration + FAILURE_KNOWN,
        }
    }
}

/// The place of a lease under one seal key.
#[derive(Clone)]
pub(crate) struct LeasePlace {
    pub(crate) names: KeyNames,
    /// The ring, and the position of the key that proves claims here. `None`: claims have no proof.
    prover: Option<(SealKeys, usize)>,
}

impl LeasePlace {
    /// Returns the places for a cache key, one for each seal key, in the same order in all processes.
    /// One of several concurrent attempts to acquire all of them therefore succeeds.
    pub(crate) fn all(codec: &TokenCodec, prefix: &str, key: &SharedKey) -> Vec<Self> {
        let names = codec.names(prefix, key).into_iter().enumerate();
        let mut places: Vec<Self> = names
            .map(|(at, names)| Self {
                names,
                prover: match codec {
                    TokenCodec::Sealed(keys) => Some((keys.clone(), at)),
                    TokenCodec::Plaintext => None,
                },
            })
            .collect();
        places.sort_by(|one, other| one.names.lease.cmp(&other.names.lease));
        places
    }

    /// Returns the value that states `claim` here.
    pub(crate) fn value(&self, claim: &Claim) -> String {
        let holder: String = claim
            .holder
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let state = match claim.state {
            ClaimState::Requesting => 'r',
            ClaimState::RequestingAgain => 'a',
            ClaimState::BackingOff => 'b',
        };
        let (duration, end) = (millis(claim.duration), claim.end);
        let text = format!("{FORMAT}:{holder}:{state}:{duration}:{end}:");
        let tag = match self.key() {
            Some(key) => URL_SAFE_NO_PAD.encode(key.prove(&self.proven_text(&text))),
            None => NO_PROOF.to_owned(),
        };
        text + &tag
    }

    /// Returns the claim that `value` states and, with seal keys, proves.
    pub(crate) fn claim(&self, value: &[u8]) -> Option<Claim> {
        let value = std::str::from_utf8(value).ok()?;
        let (text, tag) = value.split_at(value.rfind(':')? + 1);
        match self.key() {
            Some(key) => {
                let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
                key.is_proven(&self.proven_text(text), &tag).then_some(())?;
            }
            None => (tag == NO_PROOF).then_some(())?,
        }
        let parts: Vec<&str> = text.split(':').collect();
        let [FORMAT, holder, state, duration, end, ""] = parts[..] else {
            return None;
        };
        let holder = u128::from_str_radix(holder, 16).ok()?;
        let state = match state {
            "r" => ClaimState::Requesting,
            "a" => ClaimState::RequestingAgain,
            "b" => ClaimState::BackingOff,
            _ => return None,
        };
        Some(Claim {
            holder: holder.to_be_bytes(),
            state,
            duration: Duration::from_millis(duration.parse().ok()?),
            end: end.parse().ok()?,
        })
    }

    fn key(&self) -> Option<&SealKey> {
        let (keys, at) = self.prover.as_ref()?;
        keys.ring().get(*at).map(|key| &**key)
    }

    /// The name takes part in the proof, so that a claim proves nothing under another name.
    fn proven_text(&self, text: &str) -> Vec<u8> {
        [self.names.lease.as_bytes(), b"\0", text.as_bytes()].concat()
    }
}
