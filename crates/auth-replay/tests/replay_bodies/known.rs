//! Which bodies are recognised, and what is said of the others.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use auth_replay::{Bounded, CloneBody, Never, Replay};
use bytes::Bytes;
use http_body::Body;
use http_body_util::{
    BodyExt, Empty, Full, Limited,
    combinators::{BoxBody, UnsyncBoxBody},
};
use tracing_subscriber::fmt::MakeWriter;

use super::script::{Step, exhaust};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const TEXT: &str = "hello";

fn is_replayed<B: Body<Data = Bytes> + Unpin + 'static>(body: B, text: &str) {
    let (mut first, kept) = Bounded::default().arm(body);
    let expected = Vec::from_iter((!text.is_empty()).then(|| Step::Data(text.into())));
    assert_eq!(exhaust(&mut first), expected);
    let kept = kept.expect("known");
    assert!(Bounded::is_whole(&kept));
    assert_eq!(exhaust(&mut Bounded::again(kept).unwrap()), expected);
}

fn boxes_are_replayed<E: 'static>() {
    let body = || Full::new(Bytes::from(TEXT)).map_err(|never| match never {});
    is_replayed::<BoxBody<Bytes, E>>(body().boxed(), TEXT);
    is_replayed::<UnsyncBoxBody<Bytes, E>>(body().boxed_unsync(), TEXT);
}

#[test]
fn every_known_body_is_replayed() {
    is_replayed(Full::new(Bytes::from(TEXT)), TEXT);
    is_replayed(Empty::<Bytes>::new(), "");
    is_replayed(String::from(TEXT), TEXT);
    boxes_are_replayed::<Infallible>();
    boxes_are_replayed::<io::Error>();
    boxes_are_replayed::<BoxError>();
    boxes_are_replayed::<hyper::Error>();
}

#[cfg(feature = "tonic")]
#[test]
fn every_known_body_of_tonic_is_replayed() {
    boxes_are_replayed::<tonic::Status>();
    is_replayed(tonic::body::Body::new(Full::new(Bytes::from(TEXT))), TEXT);
    is_replayed(tonic::body::Body::empty(), "");
}

#[test]
fn a_body_of_another_type_is_sent_once_as_it_is() {
    fn is_sent_once<B: Body + Unpin + 'static>(body: B, send: impl Fn(&mut B) -> Vec<Step>) {
        let (mut first, kept) = Bounded::default().arm(body);
        assert!(kept.is_none());
        assert_eq!(send(&mut first), [Step::Data(TEXT.into())]);
    }
    is_sent_once(Limited::new(Full::new(Bytes::from(TEXT)), 9), exhaust);
    is_sent_once(Box::new(Full::new(Bytes::from(TEXT))), exhaust);
    is_sent_once(
        Full::new(Bytes::from(TEXT)).boxed().map_err(BoxError::from),
        exhaust,
    );
}

#[test]
fn a_body_that_clone_body_keeps_may_be_of_any_type() {
    let (mut first, kept) = CloneBody.arm(Box::new(Full::new(Bytes::from(TEXT))));
    let kept = kept.unwrap();
    assert_eq!(exhaust(&mut first), [Step::Data(TEXT.into())]);
    assert!(<CloneBody as Replay<Box<Full<Bytes>>>>::is_whole(&kept));
    let again: Option<Box<Full<Bytes>>> = CloneBody::again(kept);
    assert_eq!(exhaust(&mut again.unwrap()), [Step::Data(TEXT.into())]);
}

#[test]
fn never_keeps_nothing() {
    let (mut first, kept) = Never.arm(Full::new(Bytes::from(TEXT)));
    assert!(kept.is_none());
    assert_eq!(exhaust(&mut first), [Step::Data(TEXT.into())]);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn an_unknown_body_is_logged_once_per_layer() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        for bounded in [Bounded::default(), Bounded::default()] {
            for _ in 0..3 {
                let too_large = "known".repeat(100_000);
                assert!(bounded.arm(too_large).1.is_none());
                let body = Limited::new(String::new(), 9);
                assert!(bounded.clone().arm(body).1.is_none());
            }
        }
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    for line in log.lines() {
        assert!(
            line.contains("WARN auth_replay: ") && line.contains("Limited<"),
            "{line}"
        );
    }
}
