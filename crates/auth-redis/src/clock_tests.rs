//! What the server's clock, the expiry of a key and old values can make of a token and of a lease.

use std::time::Duration;

use auth_core::{
    TokenRequest,
    shared_store::{SharedKey, SharedToken},
};

use crate::{
    format::Unreadable,
    lease_claim::{Claim, ClaimState, LeasePlace, MAX_LEASE},
    seal_keys::SealKeys,
    token_codec::TokenCodec,
};

/// The time at which tokens are saved and leases acquired.
const NOW: u64 = 1_700_000_000_000;
const LIFETIME: Duration = Duration::from_secs(600);
const LEASE: Duration = Duration::from_secs(5);

fn key() -> SharedKey {
    SharedKey::new(["clock"], &TokenRequest::default())
}

fn codecs() -> [TokenCodec; 2] {
    let keys = SealKeys::new([*b"a seal key for tests, 32 bytes.."]).unwrap();
    [TokenCodec::Sealed(keys), TokenCodec::Plaintext]
}

/// Returns the remaining life of a token that was saved at [`NOW`] with its whole lifetime, in seconds.
fn remaining(codec: &TokenCodec, now: u64, expiry: Option<Duration>) -> Result<u64, Unreadable> {
    let token = SharedToken::bearer("abc").unwrap().with_lifetime(LIFETIME);
    let value = codec.encode(&key(), &token, NOW + 600_000).unwrap();
    let decoded = codec.decode(&key(), &value, now, expiry)?;
    assert_eq!(decoded.lifetime(), LIFETIME);
    Ok(decoded.remaining().as_secs())
}

#[test]
fn an_expiry_only_shortens_the_life_of_a_token() {
    for codec in codecs() {
        for (expiry, expected) in [
            (None, 500),
            (Some(Duration::from_secs(500)), 500),
            (Some(Duration::from_secs(600)), 500),
            (Some(Duration::MAX), 500),
            (Some(Duration::from_secs(60)), 60),
        ] {
            assert_eq!(remaining(&codec, NOW + 100_000, expiry), Ok(expected));
        }
        let expired = remaining(&codec, NOW, Some(Duration::ZERO));
        assert_eq!(expired, Err(Unreadable::JustEnded));
    }
}

#[test]
fn a_token_that_has_ended_is_unreadable_whatever_its_expiry() {
    for codec in codecs() {
        for expiry in [None, Some(LIFETIME), Some(Duration::MAX)] {
            for now in [NOW + 600_000, NOW + 600_001, NOW + 601_000] {
                assert_eq!(remaining(&codec, now, expiry), Err(Unreadable::JustEnded));
            }
            for now in [NOW + 601_001, NOW + 86_400_000, u64::MAX] {
                assert_eq!(remaining(&codec, now, expiry), Err(Unreadable::Ended));
            }
        }
    }
}

/// As after a failover to a server whose clock is behind.
#[test]
fn a_clock_that_is_set_back_makes_no_token_younger_than_new() {
    let loaded = NOW + 300_000;
    for codec in codecs() {
        for (back, expected) in [
            (0, Ok(300)),
            (100_000, Ok(400)),
            (300_000, Ok(600)),
            // clocks are adjusted
            (301_000, Ok(600)),
            (301_001, Err(Unreadable::Clock)),
            (86_400_000, Err(Unreadable::Clock)),
            (loaded, Err(Unreadable::Clock)),
        ] {
            assert_eq!(remaining(&codec, loaded - back, None), expected, "{back}");
        }
    }
}

#[test]
fn a_clock_that_is_set_forward_shortens_the_life_of_a_token() {
    for codec in codecs() {
        assert_eq!(remaining(&codec, NOW + 300_000 + 200_000, None), Ok(100));
        let ended = remaining(&codec, NOW + 300_000 + 300_000, None);
        assert_eq!(ended, Err(Unreadable::JustEnded));
    }
}

#[test]
fn a_lease_holds_from_its_start_to_its_end_by_the_servers_clock() {
    let claim = Claim::new([7; 16], ClaimState::Requesting, LEASE, NOW);
    for (now, left) in [
        (NOW, Some(5_000)),
        (NOW + 1, Some(4_999)),
        (NOW + 4_999, Some(1)),
        (NOW + 5_000, None),
        (u64::MAX, None),
        // clocks are adjusted
        (NOW - 1_000, Some(5_000)),
        // a clock that was set back does not make a lease last longer
        (NOW - 1_001, None),
        (0, None),
    ] {
        let expected = left.map(Duration::from_millis);
        assert_eq!(claim.left(now), expected, "{now}");
    }
}

/// An old claim to back off that is restored explains nothing.
#[test]
fn a_failure_is_known_for_a_while_after_the_end_of_the_claim_to_back_off() {
    use ClaimState::{BackingOff, Requesting, RequestingAgain};

    let end = NOW + 5_000;
    for (state, now, expected) in [
        (BackingOff, end, RequestingAgain),
        (BackingOff, end + 15_000, RequestingAgain),
        (BackingOff, end + 15_001, Requesting),
        (BackingOff, u64::MAX, Requesting),
        // the clock was set back
        (BackingOff, NOW - 86_400_000, Requesting),
        (Requesting, end, Requesting),
        // else one failure would explain holders without end
        (RequestingAgain, end, Requesting),
    ] {
        let claim = Claim::new([7; 16], state, LEASE, NOW);
        assert_eq!(claim.next_state(now), expected, "{state:?} {now}");
    }
}

#[test]
fn no_lease_is_longer_than_the_maximum() {
    let claim = Claim::new([7; 16], ClaimState::BackingOff, Duration::MAX, NOW);
    assert_eq!(claim.left(NOW), Some(MAX_LEASE));
    let claim = Claim {
        duration: Duration::from_secs(3600),
        end: NOW + 3_600_000,
        ..claim
    };
    assert_eq!(claim.left(NOW), None);
}

#[test]
fn a_lease_states_its_claim() {
    for codec in codecs() {
        let places = LeasePlace::all(&codec, "auth", &key());
        for state in [
            ClaimState::Requesting,
            ClaimState::RequestingAgain,
            ClaimState::BackingOff,
        ] {
            let claim = Claim::new([0xab; 16], state, LEASE, NOW);
            let value = places[0].value(&claim);
            assert_eq!(places[0].claim(value.as_bytes()), Some(claim));
            // the scripts read no longer value
            assert!(value.len() <= 256, "{value}");
        }
    }
}

#[test]
fn a_claim_proves_nothing_with_another_key_under_another_name_or_when_changed() {
    let keys = |key: &[u8; 32]| TokenCodec::Sealed(SealKeys::new([*key]).unwrap());
    let own = keys(b"a seal key for tests, 32 bytes..");
    let claim = Claim::new([7; 16], ClaimState::Requesting, LEASE, NOW);
    let place = &LeasePlace::all(&own, "auth", &key())[0];
    let value = place.value(&claim);
    let other_key = SharedKey::new(["other"], &TokenRequest::default());
    for other in [
        LeasePlace::all(&own, "auth", &other_key),
        LeasePlace::all(&own, "other", &key()),
        LeasePlace::all(&keys(b"another seal key, also 32 bytes."), "auth", &key()),
        LeasePlace::all(&TokenCodec::Plaintext, "auth", &key()),
    ] {
        assert_eq!(other[0].claim(value.as_bytes()), None);
        assert_eq!(place.claim(other[0].value(&claim).as_bytes()), None);
    }
    for at in 0..value.len() {
        for bit in 0..8 {
            let mut changed = value.clone().into_bytes();
            changed[at] ^= 1 << bit;
            assert_eq!(place.claim(&changed), None, "{at}");
        }
        assert_eq!(place.claim(&value.as_bytes()[..at]), None, "{at}");
    }
    assert_eq!(place.claim(format!("{value}A").as_bytes()), None);
}
