//! The replay takes the body from the first attempt.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
};

use auth_replay::{Bounded, Replay};
use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use http_body_util::{
    BodyExt, Full,
    combinators::{BoxBody, UnsyncBoxBody},
};
use tokio_test::task::{Spawn, spawn};

use super::script::{Polled, Script, Step, exhaust, poll, step};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Boxed<E> = UnsyncBoxBody<Bytes, E>;

fn data(text: &str) -> Step {
    Step::Data(text.into())
}

fn steps_with_pauses() -> [Step; 5] {
    [
        data("a"),
        Step::Pending,
        Step::Pending,
        data("b"),
        data("c"),
    ]
}

fn frame<B: Body<Data = Bytes> + Unpin>(task: &mut Spawn<B>) -> Option<Step> {
    step(task.enter(|cx, body| -> Polled<B::Error> { Pin::new(body.get_mut()).poll_frame(cx) }))
}

#[test]
fn the_body_wakes_the_task_that_polled_it_last() {
    let script = Script::new(steps_with_pauses(), false);
    let watch = script.watch.clone();
    let (first, recording) = Bounded::default().record(script.boxed_unsync());
    let mut first = spawn(first);
    assert_eq!(frame(&mut first), Some(data("a")));
    assert_eq!(frame(&mut first), Some(Step::Pending));
    watch.wake();
    assert!(first.is_woken());
    assert_eq!(frame(&mut first), Some(Step::Pending));

    let mut second = spawn(Bounded::replay(recording.unwrap()).unwrap());
    assert!(first.is_woken(), "the takeover wakes the first attempt");
    assert_eq!(frame(&mut first), Some(Step::Fail));
    assert_eq!(frame(&mut second), Some(data("a")));
    assert_eq!(frame(&mut second), Some(data("b")));
}

/// A connection may move its body to another task.
#[test]
fn the_takeover_wakes_the_task_that_polled_last() {
    let script = Script::new(steps_with_pauses(), false);
    let (mut first, recording) = Bounded::default().record(script.boxed_unsync());
    let mut before = spawn(());
    for expected in [data("a"), Step::Pending] {
        let polled = before.enter(|cx, _| Pin::new(&mut first).poll_frame(cx));
        assert_eq!(step(polled), Some(expected));
    }
    let mut after = spawn(first);
    assert_eq!(frame(&mut after), Some(Step::Pending));
    let _second = Bounded::replay(recording.unwrap()).unwrap();
    assert!(after.is_woken());
    assert!(!before.is_woken());
}

#[test]
fn a_pause_after_the_takeover_wakes_only_the_replay() {
    let script = Script::new([data("a"), Step::Pending, data("b")], false);
    let watch = script.watch.clone();
    let (first, recording) = Bounded::default().record(script.boxed_unsync());
    let mut first = spawn(first);
    assert_eq!(frame(&mut first), Some(data("a")));
    let mut second = spawn(Bounded::replay(recording.unwrap()).unwrap());
    assert_eq!(frame(&mut second), Some(data("a")));
    assert_eq!(frame(&mut second), Some(Step::Pending));
    watch.wake();
    assert!(second.is_woken());
    assert!(!first.is_woken());
    assert_eq!(exhaust(&mut second.into_inner()), [data("b")]);
}

#[test]
fn an_attempt_that_lost_its_body_fails_with_an_error_of_the_bodys_type() {
    fn cut<E: 'static>(map: fn(std::io::Error) -> E) -> E {
        let script = Script::new(steps_with_pauses(), false);
        let (mut first, recording) = Bounded::default().record(script.map_err(map).boxed_unsync());
        assert_eq!(poll(&mut first), Some(data("a")));
        let _second = Bounded::replay(recording.unwrap()).unwrap();
        let polled = spawn(first).enter(|cx, body| Pin::new(body.get_mut()).poll_frame(cx));
        match polled {
            std::task::Poll::Ready(Some(Err(error))) => error,
            _ => panic!("no error"),
        }
    }
    let reason = "the replay sends the rest of this body, with another token";
    assert_eq!(cut::<std::io::Error>(|error| error).to_string(), reason);
    assert_eq!(cut::<BoxError>(Into::into).to_string(), reason);
    #[cfg(feature = "tonic")]
    {
        let status = cut::<tonic::Status>(|error| tonic::Status::internal(error.to_string()));
        assert_eq!(
            (status.code(), status.message()),
            (tonic::Code::Cancelled, reason)
        );
    }
}

/// A body that ended early would look complete, and one that stays pending would hold the connection.
#[test]
fn an_attempt_whose_body_cannot_fail_keeps_the_body_until_it_is_dropped() {
    fn keeps_its_body<E: std::fmt::Debug + 'static>() {
        let recorded = || {
            let script = Script::new([data("a"), data("b"), data("c")], false);
            let body: Boxed<E> = script
                .map_err(|_| panic!("the script has no failure"))
                .boxed_unsync();
            let (mut first, recording) = Bounded::default().record(body);
            assert_eq!(poll(&mut first), Some(data("a")));
            (first, recording.unwrap())
        };
        let (mut first, recording) = recorded();
        assert!(!Bounded::is_replayable(&recording));
        assert!(Bounded::replay(recording).is_none());
        assert_eq!(exhaust(&mut first), [data("b"), data("c")]);

        let (first, recording) = recorded();
        drop(first);
        assert!(Bounded::is_replayable(&recording));
        let mut second = Bounded::replay(recording).unwrap();
        assert_eq!(exhaust(&mut second), [data("a"), data("b"), data("c")]);

        let (mut first, recording) = recorded();
        assert_eq!(exhaust(&mut first), [data("b"), data("c")]);
        assert!(
            Bounded::is_replayable(&recording),
            "the first attempt has read everything"
        );
        assert!(Bounded::replay(recording).is_some());
    }
    keeps_its_body::<Infallible>();
    keeps_its_body::<hyper::Error>();
}

#[test]
fn an_attempt_that_has_read_everything_ends_normally_after_the_takeover() {
    let body: BoxBody<Bytes, Infallible> = Full::new(Bytes::from_static(b"all")).boxed();
    let (mut first, recording) = Bounded::default().record(body);
    assert_eq!(poll(&mut first), Some(data("all")));
    let mut second = Bounded::replay(recording.unwrap()).unwrap();
    assert!(first.is_end_stream());
    assert_eq!(first.size_hint().exact(), Some(0));
    assert_eq!(poll(&mut first), None);
    assert_eq!(second.size_hint().exact(), Some(3));
    assert_eq!(exhaust(&mut second), [data("all")]);
}

#[test]
fn a_body_that_panicked_is_not_replayed() {
    let script = Script::new([data("a"), Step::Panic, data("b")], false);
    let (mut first, recording) = Bounded::default().record(script.boxed_unsync());
    let recording = recording.unwrap();
    assert_eq!(poll(&mut first), Some(data("a")));
    catch_unwind(AssertUnwindSafe(|| poll(&mut first))).expect_err("scripted panic");
    assert!(!Bounded::is_replayable(&recording));
    assert!(Bounded::replay(recording).is_none());
}

#[test]
fn a_body_with_a_frame_after_its_trailers_is_not_replayed() {
    let trailers = || Step::Trailers(HeaderMap::new());
    for last in [data("late"), trailers()] {
        let steps = [data("a"), trailers(), last];
        let script = Script::new(steps.clone(), false);
        let (mut first, recording) = Bounded::default().record(script.boxed_unsync());
        let recording = recording.unwrap();
        assert_eq!(exhaust(&mut first), steps);
        assert!(!Bounded::is_replayable(&recording));
        assert!(Bounded::replay(recording).is_none());
    }
}
