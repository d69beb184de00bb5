//! What it costs to be ready for a replay.

use allocation_counter::measure;
use auth_replay::{Bounded, Replay};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};

fn allocations<B: 'static>(body: B) -> u64 {
    let bounded = Bounded::default();
    let mut armed = None;
    let counted = measure(|| armed = Some(bounded.arm(body)));
    assert!(armed.is_some_and(|(_, kept)| kept.is_some()));
    counted.count_total
}

#[test]
fn a_body_that_is_cloned_costs_no_allocation() {
    assert_eq!(allocations(Full::new(Bytes::from_static(b"hello"))), 0);
    assert_eq!(allocations(Empty::<Bytes>::new()), 0);
}

#[test]
fn a_body_that_is_recorded_costs_two() {
    let body = || Full::new(Bytes::from_static(b"hello"));
    assert_eq!(allocations(body().boxed()), 2);
    assert_eq!(allocations(body().boxed_unsync()), 2);
    #[cfg(feature = "tonic")]
    assert_eq!(allocations(tonic::body::Body::new(body())), 2);
}
