//! A scripted body, and bytes that count how many of them are still held.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Pending,
    Data(Vec<u8>),
    Trailers(HeaderMap),
    Fail,
    Panic,
}

impl Step {
    pub(crate) fn data(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            _ => 0,
        }
    }
}

pub(crate) type Polled<E> = Poll<Option<Result<Frame<Bytes>, E>>>;

/// The result of a poll as a step. `None` at the end of the body.
pub(crate) fn step<E>(polled: Polled<E>) -> Option<Step> {
    Some(match polled {
        Poll::Pending => Step::Pending,
        Poll::Ready(None) => return None,
        Poll::Ready(Some(Err(_))) => Step::Fail,
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => Step::Data(data.to_vec()),
            Err(frame) => Step::Trailers(frame.into_trailers().expect("trailers")),
        },
    })
}

pub(crate) fn poll<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Option<Step> {
    let mut cx = Context::from_waker(Waker::noop());
    step(Pin::new(body).poll_frame(&mut cx))
}

/// Polls a body to its end or its failure and returns the steps.
pub(crate) fn exhaust<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(step) = poll(body) {
        let failed = step == Step::Fail;
        steps.push(step);
        assert!(steps.len() < 10_000, "no end");
        if failed {
            break;
        }
    }
    steps
}

/// Counts the bytes of the script's frames that are still held, and keeps the waker of the last poll
/// that was pending.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    pub(crate) held: Arc<AtomicUsize>,
    pub(crate) waker: Arc<Mutex<Option<Waker>>>,
}

impl Watch {
    pub(crate) fn held(&self) -> usize {
        self.held.load(SeqCst)
    }

    pub(crate) fn wake(&self) {
        let waker = self.waker.lock().unwrap().take();
        waker.expect("a task waits for the next step").wake();
    }
}

struct Owner(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.1.fetch_sub(self.0.len(), SeqCst);
    }
}

/// A body that yields its steps in order. Panics if it is polled after its end, as `unfold` does.
pub(crate) struct Script {
    steps: VecDeque<Step>,
    knows_size: bool,
    ended: bool,
    pub(crate) watch: Watch,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>, knows_size: bool) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            knows_size,
            ended: false,
            watch: Watch::default(),
        }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled<io::Error> {
        assert!(!self.ended, "polled after its end");
        Poll::Ready(match self.steps.pop_front() {
            Some(Step::Pending) => {
                *self.watch.waker.lock().unwrap() = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Some(Step::Data(data)) => {
                self.watch.held.fetch_add(data.len(), SeqCst);
                let owner = Owner(data, self.watch.held.clone());
                Some(Ok(Frame::data(Bytes::from_owner(owner))))
            }
            Some(Step::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Step::Fail) => Some(Err(io::Error::other("scripted failure"))),
            Some(Step::Panic) => panic!("scripted failure"),
            None => {
                self.ended = true;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.knows_size && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.knows_size {
            SizeHint::with_exact(self.steps.iter().map(Step::data).sum::<usize>() as u64)
        } else {
            SizeHint::new()
        }
    }
}
