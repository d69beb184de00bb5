//! The limits of a recording: its size, and the time for which it is kept.

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
fn a_body_is_kept_if_its_size_is_at_most_the_bound() {
    for (size, is_kept) in [(0, true), (BOUND, true), (BOUND + 1, false)] {
        let bounded = Bounded::default();
        assert_eq!(bounded.record(full(size)).1.is_some(), is_kept);
        assert_eq!(bounded.record("x".repeat(size)).1.is_some(), is_kept);
        assert_eq!(bounded.record(full(size).boxed()).1.is_some(), is_kept);

        let steps = [Step::Data(vec![7; size])];
        let script = Script::new(steps.clone(), false);
        let watch = script.watch.clone();
        let (mut first, recording) = bounded.record(script.boxed());
        let recording = recording.expect("the size is unknown");
        assert_eq!(exhaust(&mut first), steps);
        assert_eq!(watch.held(), if is_kept { size } else { 0 });
        assert_eq!(Bounded::is_replayable(&recording), is_kept);
        let second = Bounded::replay(recording);
        assert_eq!(
            second.map(|mut body| exhaust(&mut body)),
            is_kept.then(|| steps.to_vec())
        );
    }
}

#[test]
fn a_bound_of_zero_keeps_only_empty_bodies() {
    let bounded = Bounded::new(0);
    assert!(bounded.record(full(0)).1.is_some());
    assert!(bounded.record(full(1)).1.is_none());
}

#[test]
fn the_number_of_frames_is_bounded() {
    let max_frames = 16 + BOUND / 64;
    for (frames, is_kept) in [(max_frames, true), (max_frames + 1, false)] {
        let script = Script::new(vec![Step::Data(Vec::new()); frames], false);
        let (mut first, recording) = Bounded::default().record(script.boxed());
        let recording = recording.unwrap();
        assert_eq!(exhaust(&mut first).len(), frames);
        assert_eq!(Bounded::is_replayable(&recording), is_kept);
    }
}

#[test]
fn dropping_the_recording_frees_the_frames_while_the_body_is_still_sent() {
    let chunk = || Step::Data(vec![7; 1000]);
    let script = Script::new([chunk(), chunk(), chunk()], false);
    let watch = script.watch.clone();
    let (mut first, recording) = Bounded::default().record(script.boxed());
    poll(&mut first);
    poll(&mut first);
    assert_eq!(watch.held(), 2000);
    drop(recording);
    assert_eq!(watch.held(), 0);
    assert_eq!(poll(&mut first), Some(chunk()));
    assert_eq!(watch.held(), 0);
    assert_eq!(poll(&mut first), None);
}

#[test]
fn the_waker_is_dropped_once_no_replay_is_possible() {
    let pause = || [Step::Pending, Step::Pending];
    let too_much = [Step::Pending, Step::Data(vec![7; BOUND + 1]), Step::Pending];
    // the recording is dropped; then the body exceeds the bound
    for (script, recording_is_dropped) in [
        (Script::new(pause(), false), true),
        (Script::new(too_much, false), false),
    ] {
        let watch = script.watch.clone();
        let (first, recording) = Bounded::default().record(script.boxed());
        let mut first = spawn(first);
        let idle = first.waker_ref_count();
        let mut references = || {
            while !first.enter(|cx, body| body.poll_frame(cx).is_pending()) {}
            *watch.waker.lock().unwrap() = None;
            first.waker_ref_count() - idle
        };
        assert_eq!(references(), 1);
        let recording = recording.filter(|_| !recording_is_dropped);
        assert_eq!(references(), 0);
        drop(recording);
    }
}

#[test]
fn debug_does_not_show_the_body() {
    let (_, recording) = Bounded::default().record(String::from("s3cr3t"));
    assert_eq!(format!("{:?}", recording.unwrap()), "Recording { .. }");
    assert_eq!(format!("{:?}", Bounded::default()), "Bounded(65536)");
}
