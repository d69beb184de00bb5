//! The number of allocations of a recorded body.

use allocation_counter::measure;
use auth_replay::{Bounded, Replay};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};

fn allocations<B: 'static>(body: B) -> u64 {
    let bounded = Bounded::default();
    let mut recorded = None;
    let counted = measure(|| recorded = Some(bounded.record(body)));
    assert!(recorded.is_some_and(|(_, recording)| recording.is_some()));
    counted.count_total
}

#[test]
fn cloning_a_body_allocates_nothing() {
    assert_eq!(allocations(Full::new(Bytes::from_static(b"hello"))), 0);
    assert_eq!(allocations(Empty::<Bytes>::new()), 0);
}

#[test]
fn recording_a_boxed_body_allocates_twice() {
    let body = || Full::new(Bytes::from_static(b"hello"));
    assert_eq!(allocations(body().boxed()), 2);
    assert_eq!(allocations(body().boxed_unsync()), 2);
    #[cfg(feature = "tonic")]
    assert_eq!(allocations(tonic::body::Body::new(body())), 2);
}
