//! Properties of all bodies, all bounds, and all moments at which the replay takes the body.

use auth_replay::{Bounded, Replay};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use proptest::{collection::vec, option, prelude::*};

use super::script::{Script, Step, exhaust, poll};

type Boxed = UnsyncBoxBody<Bytes, std::io::Error>;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let data = vec(any::<u8>(), 0..40).prop_map(Step::Data);
    let small = vec(any::<u8>(), 0..2).prop_map(Step::Data);
    let steps = prop_oneof![
        vec(prop_oneof![3 => data, 2 => Just(Step::Pending)], 0..12),
        vec(prop_oneof![9 => small, 1 => Just(Step::Pending)], 0..40),
    ];
    let end = prop_oneof![
        6 => option::of(vec(b'a'..=b'z', 0..30)).prop_map(|value| value.as_deref().map(trailers)),
        1 => Just(Some(Step::Fail)),
    ];
    (steps, end).prop_map(|(steps, end)| steps.into_iter().chain(end).collect())
}

fn trailers(value: &[u8]) -> Step {
    let value = HeaderValue::from_bytes(value).expect("letters");
    Step::Trailers(HeaderMap::from_iter([(http::header::ETAG, value)]))
}

/// The bytes of a step that count towards the bound.
fn size(step: &Step) -> usize {
    match step {
        Step::Trailers(fields) => {
            let sizes = fields
                .iter()
                .map(|(name, value)| name.as_str().len() + value.len());
            sizes.sum()
        }
        _ => step.data(),
    }
}

fn is_frame(step: &&Step) -> bool {
    matches!(step, Step::Data(_) | Step::Trailers(_))
}

fn frames(steps: &[Step]) -> Vec<Step> {
    steps.iter().filter(is_frame).cloned().collect()
}

/// The recording is kept while size and number of the frames are within the bound and the body has
/// not failed.
fn is_kept(read: &[Step], bound: usize) -> bool {
    let frames = read.iter().filter(is_frame);
    frames.clone().map(size).sum::<usize>() <= bound
        && frames.count() <= 16 + bound / 64
        && !read.contains(&Step::Fail)
}

/// Asserts that size hint and end of the body agree with the steps that are left.
fn assert_announces(body: &Boxed, left: &[Step], knows_size: bool) {
    let size = left.iter().map(Step::data).sum::<usize>() as u64;
    let hint = body.size_hint();
    if knows_size {
        assert_eq!(hint.exact(), Some(size));
        assert_eq!(body.is_end_stream(), left.is_empty());
    } else {
        assert_eq!((hint.lower(), hint.upper()), (0, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_replay_sends_the_body_from_its_beginning_or_is_not_possible(
        steps in steps(),
        bound in 0..300_usize,
        knows_size: bool,
        reads in 0..40_usize,
        first_is_dropped: bool,
    ) {
        let script = Script::new(steps.clone(), knows_size);
        let watch = script.watch.clone();
        let (mut first, recording) = Bounded::new(bound).record(script.boxed_unsync());
        let total: usize = steps.iter().map(Step::data).sum();
        prop_assert_eq!(recording.is_some(), !knows_size || total <= bound);

        // the first attempt reads the body unchanged, whether or not it is recorded
        let mut read = 0;
        let mut ended = false;
        for _ in 0..reads {
            assert_announces(&first, &steps[read..], knows_size);
            let step = poll(&mut first);
            prop_assert_eq!(step.as_ref(), steps.get(read));
            ended = step.is_none();
            read += usize::from(!ended);
            let kept_so_far = recording.is_some() && is_kept(&steps[..read], bound);
            let held: usize = steps[..read].iter().map(Step::data).sum();
            prop_assert_eq!(watch.held(), if kept_so_far { held } else { 0 });
            prop_assert!(watch.held() <= bound);
            if ended || step == Some(Step::Fail) {
                break;
            }
        }
        let failed = steps[..read].contains(&Step::Fail);
        let mut first = (!first_is_dropped).then_some(first);

        let Some(recording) = recording else { return Ok(()) };
        prop_assert_eq!(Bounded::is_replayable(&recording), is_kept(&steps[..read], bound));
        let Some(mut second) = Bounded::replay(recording) else {
            prop_assert!(!is_kept(&steps[..read], bound));
            if let (Some(first), false) = (&mut first, failed || ended) {
                prop_assert_eq!(&exhaust(first)[..], &steps[read..]);
            }
            return Ok(());
        };
        prop_assert!(is_kept(&steps[..read], bound));

        // the replay reads the frames of the first attempt without its pauses, then the steps that are left
        let mut expected = frames(&steps[..read]);
        expected.extend_from_slice(&steps[read..]);
        for at in 0..expected.len() {
            assert_announces(&second, &expected[at..], knows_size);
            let step = poll(&mut second);
            prop_assert_eq!(step.as_ref(), Some(&expected[at]));
        }
        if expected.last() != Some(&Step::Fail) {
            assert_announces(&second, &[], knows_size);
            prop_assert_eq!(poll(&mut second), None);
        }
        prop_assert_eq!(watch.held(), 0);

        // the first attempt fails unless it has read everything; it never ends early
        if let Some(first) = &mut first {
            let read_all = ended || knows_size && read == steps.len();
            prop_assert_eq!(first.is_end_stream(), read_all);
            let missing = if read_all { &[] } else { &steps[read..] };
            assert_announces_missing(first, missing, knows_size || read_all);
            prop_assert_eq!(poll(first), (!read_all).then_some(Step::Fail));
        }
    }

    #[test]
    fn after_the_recording_is_dropped_no_frame_is_held_and_the_first_attempt_goes_on(
        steps in steps(),
        bound in 0..300_usize,
        reads in 0..40_usize,
    ) {
        let script = Script::new(steps.clone(), false);
        let watch = script.watch.clone();
        let (mut first, recording) = Bounded::new(bound).record(script.boxed_unsync());
        let end = steps.iter().position(|step| *step == Step::Fail).unwrap_or(steps.len());
        let reads = reads.min(end);
        for step in &steps[..reads] {
            prop_assert_eq!(poll(&mut first), Some(step.clone()));
        }
        drop(recording);
        prop_assert_eq!(watch.held(), 0);
        for step in &steps[reads..] {
            prop_assert_eq!(poll(&mut first), Some(step.clone()));
            prop_assert_eq!(watch.held(), 0);
        }
    }
}

fn assert_announces_missing(first: &Boxed, missing: &[Step], knows_size: bool) {
    let size = missing.iter().map(Step::data).sum::<usize>() as u64;
    assert_eq!(first.size_hint().exact(), knows_size.then_some(size));
}
