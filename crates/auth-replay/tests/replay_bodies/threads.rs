//! The connection reads the body on one thread, and the replay takes it from another.

use std::thread;

use auth_replay::{Bounded, Replay};
use http_body_util::BodyExt;

use super::script::{Script, Step, exhaust};

const FRAMES: usize = 1000;

#[test]
fn a_takeover_from_another_thread_neither_loses_nor_repeats_a_frame() {
    let steps = Vec::from_iter((0..FRAMES).map(|n| Step::Data(vec![n as u8])));
    for _ in 0..100 {
        let script = Script::new(steps.clone(), false);
        let watch = script.watch.clone();
        let (mut first, recording) = Bounded::default().record(script.boxed_unsync());
        let (sent, mut second) = thread::scope(|scope| {
            let sending = scope.spawn(|| exhaust(&mut first));
            while watch.held() < FRAMES / 10 && !sending.is_finished() {
                thread::yield_now();
            }
            let second = Bounded::replay(recording.unwrap()).expect("the body is within the bound");
            (sending.join().unwrap(), second)
        });
        assert_eq!(exhaust(&mut second), steps);
        if sent != steps {
            let (last, before) = sent
                .split_last()
                .expect("the first attempt ended with an error");
            assert_eq!(*last, Step::Fail);
            assert_eq!(before, &steps[..before.len()]);
        }
    }
}
