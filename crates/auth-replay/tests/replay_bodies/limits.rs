//! How much is kept, and for how long.

use auth_replay::{Bounded, Replay};
use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tokio_test::task::spawn;

use super::script::{Script, Step, exhaust, poll};

const BOUND: usize = 64 * 1024;

fn full(size: usize) -> Full<Bytes> {
    Full::new(vec![7; size].into())
}

#[test]
fn the_default_is_64_kib() {
    assert_eq!(Bounded::default().bytes(), BOUND);
}

#[test]
fn a_body_is_kept_up_to_the_bound_and_not_a_byte_beyond() {
    for (size, is_kept) in [(0, true), (BOUND, true), (BOUND + 1, false)] {
        let bounded = Bounded::default();
        assert_eq!(bounded.arm(full(size)).1.is_some(), is_kept);
        assert_eq!(bounded.arm("x".repeat(size)).1.is_some(), is_kept);
        assert_eq!(bounded.arm(full(size).boxed()).1.is_some(), is_kept);

        let steps = [Step::Data(vec![7; size])];
        let script = Script::new(steps.clone(), false);
        let watch = script.watch.clone();
        let (mut first, kept) = bounded.arm(script.boxed());
        let kept = kept.expect("the size is unknown");
        assert_eq!(exhaust(&mut first), steps);
        assert_eq!(watch.held(), if is_kept { size } else { 0 });
        assert_eq!(Bounded::is_whole(&kept), is_kept);
        let second = Bounded::again(kept);
        assert_eq!(
            second.map(|mut body| exhaust(&mut body)),
            is_kept.then(|| steps.to_vec())
        );
    }
}

#[test]
fn a_bound_of_nothing_keeps_bodies_of_nothing() {
    let bounded = Bounded::new(0);
    assert!(bounded.arm(full(0)).1.is_some());
    assert!(bounded.arm(full(1)).1.is_none());
}

#[test]
fn frames_are_bounded_by_number_as_well() {
    let most = 16 + BOUND / 64;
    for (frames, is_kept) in [(most, true), (most + 1, false)] {
        let script = Script::new(vec![Step::Data(Vec::new()); frames], false);
        let (mut first, kept) = Bounded::default().arm(script.boxed());
        let kept = kept.unwrap();
        assert_eq!(exhaust(&mut first).len(), frames);
        assert_eq!(Bounded::is_whole(&kept), is_kept);
    }
}

#[test]
fn a_response_that_is_fine_frees_the_frames_while_the_request_goes_on() {
    let chunk = || Step::Data(vec![7; 1000]);
    let script = Script::new([chunk(), chunk(), chunk()], false);
    let watch = script.watch.clone();
    let (mut first, kept) = Bounded::default().arm(script.boxed());
    poll(&mut first);
    poll(&mut first);
    assert_eq!(watch.held(), 2000);
    drop(kept);
    assert_eq!(watch.held(), 0);
    assert_eq!(poll(&mut first), Some(chunk()));
    assert_eq!(watch.held(), 0);
    assert_eq!(poll(&mut first), None);
}

#[test]
fn the_task_that_sends_is_let_go_when_no_replay_can_come() {
    let pause = || [Step::Pending, Step::Pending];
    let too_much = [Step::Pending, Step::Data(vec![7; BOUND + 1]), Step::Pending];
    // a response that is fine; then a body that grows too long
    for (script, tape_is_dropped) in [
        (Script::new(pause(), false), true),
        (Script::new(too_much, false), false),
    ] {
        let watch = script.watch.clone();
        let (first, kept) = Bounded::default().arm(script.boxed());
        let mut first = spawn(first);
        let idle = first.waker_ref_count();
        let mut references = || {
            while !first.enter(|cx, body| body.poll_frame(cx).is_pending()) {}
            *watch.waker.lock().unwrap() = None;
            first.waker_ref_count() - idle
        };
        assert_eq!(references(), 1);
        let kept = kept.filter(|_| !tape_is_dropped);
        assert_eq!(references(), 0);
        drop(kept);
    }
}

#[test]
fn debug_shows_nothing_of_the_body() {
    let (_, tape) = Bounded::default().arm(String::from("s3cr3t"));
    assert_eq!(format!("{:?}", tape.unwrap()), "Tape { .. }");
    assert_eq!(format!("{:?}", Bounded::default()), "Bounded(65536)");
}
