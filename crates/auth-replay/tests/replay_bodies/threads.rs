//! The first attempt's body is read on a thread of the connection, the replay comes from another.

use std::thread;

use auth_replay::{Bounded, Replay};
use http_body_util::BodyExt;

use super::script::{Script, Step, exhaust};

const FRAMES: usize = 1000;

#[test]
fn a_takeover_from_another_thread_loses_nothing_and_doubles_nothing() {
    let steps = Vec::from_iter((0..FRAMES).map(|n| Step::Data(vec![n as u8])));
    for _ in 0..100 {
        let script = Script::new(steps.clone(), false);
        let watch = script.watch.clone();
        let (mut first, kept) = Bounded::default().arm(script.boxed_unsync());
        let (sent, mut second) = thread::scope(|scope| {
            let sending = scope.spawn(|| exhaust(&mut first));
            while watch.held() < FRAMES / 10 && !sending.is_finished() {
                thread::yield_now();
            }
            let second = Bounded::again(kept.unwrap()).expect("it fits");
            (sending.join().unwrap(), second)
        });
        assert_eq!(exhaust(&mut second), steps);
        if sent != steps {
            let (last, before) = sent.split_last().expect("an error at least");
            assert_eq!(*last, Step::Fail);
            assert_eq!(before, &steps[..before.len()]);
        }
    }
}
