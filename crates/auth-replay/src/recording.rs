use std::{
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{cut_short::CutShort, frames::Frames, playback::Playback};

/// A body and what was read of it: shared by the first attempt and the tape, so that it outlives
/// either.
pub(super) struct Reel<B>(Mutex<State<B>>);

struct State<B> {
    rest: Rest<B>,
    /// What was read so far; `None` if that was too much, or is not wanted.
    frames: Option<Frames>,
    /// The first attempt's task while it waits for a frame, which the replay may take from it.
    waiting: Option<Waker>,
    announced: SizeHint,
    /// Whether the first attempt could lose its body without pretending that it was whole: it is
    /// over, or has an error for that.
    may_lose: bool,
}

enum Rest<B> {
    /// Yet to be read.
    Open(B),
    /// There is none, all was read. The body is not asked again: some panic.
    Ended,
    /// The replay has it; this much was missing.
    Taken(SizeHint),
}

impl<B: Body<Error: CutShort>> Reel<B> {
    pub(super) fn new(body: B, bound: usize) -> Self {
        Self(Mutex::new(State {
            announced: body.size_hint(),
            rest: Rest::Open(body),
            frames: Some(Frames::within(bound)),
            waiting: None,
            may_lose: B::Error::CUT_SHORT.is_some(),
        }))
    }

    /// Takes the body from the first attempt, if all that was read of it is here.
    pub(super) fn play(&self) -> Option<Playback<B>> {
        let mut state = self.whole()?;
        let frames = state.frames.take()?;
        let rest = match mem::replace(&mut state.rest, Rest::Ended) {
            Rest::Open(body) if !body.is_end_stream() => {
                state.rest = Rest::Taken(body.size_hint());
                Some(body)
            }
            // the first attempt lacks nothing
            _ => None,
        };
        let (announced, waiting) = (state.announced, state.waiting.take());
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
        Some(Playback::new(frames, rest, announced))
    }
}

impl<B: Body> Reel<B> {
    pub(super) fn is_whole(&self) -> bool {
        self.whole().is_some()
    }

    /// The state, if all that was read is here and the rest may be taken.
    fn whole(&self) -> Option<MutexGuard<'_, State<B>>> {
        let state = self.0.lock().ok()?;
        let is_open = matches!(&state.rest, Rest::Open(body) if !body.is_end_stream());
        (state.frames.is_some() && (state.may_lose || !is_open)).then_some(state)
    }
}

impl<B> Reel<B> {
    /// Lets go of what was read and keeps no more of it.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        let unwanted = (state.frames.take(), state.waiting.take());
        drop(state);
        drop(unwanted);
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> State<B> {
    fn keep<E>(&mut self, polled: &Poll<Option<Result<Frame<Bytes>, E>>>, task: &Waker) {
        let Some(frames) = &mut self.frames else {
            return;
        };
        let whole = match polled {
            Poll::Pending => {
                let waiting = self.waiting.get_or_insert_with(|| task.clone());
                waiting.clone_from(task);
                true
            }
            Poll::Ready(Some(Ok(frame))) => frames.keep(frame),
            Poll::Ready(Some(Err(_))) => false,
            Poll::Ready(None) => true,
        };
        if !whole {
            (self.frames, self.waiting) = (None, None);
        }
    }
}

/// The first attempt's body: what is read goes on at once, a copy stays.
pub(super) struct Recording<B>(pub(super) Arc<Reel<B>>);

impl<B> Drop for Recording<B> {
    fn drop(&mut self) {
        self.0.lock().may_lose = true;
    }
}

impl<B> Body for Recording<B>
where
    B: Body<Data = Bytes, Error: CutShort> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    /// Polls under the lock: where the replay takes over from another thread, it waits for that.
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let state = &mut *self.0.lock();
        let polled = match &mut state.rest {
            Rest::Open(body) => Pin::new(body).poll_frame(cx),
            Rest::Ended => Poll::Ready(None),
            Rest::Taken(_) => {
                let cut_short = B::Error::CUT_SHORT.map(|error| Poll::Ready(Some(Err(error()))));
                return cut_short.unwrap_or(Poll::Pending);
            }
        };
        if let Poll::Ready(None) = polled {
            state.rest = Rest::Ended;
        }
        state.keep(&polled, cx.waker());
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.0.lock().rest {
            Rest::Open(body) => body.is_end_stream(),
            Rest::Ended => true,
            Rest::Taken(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0.lock().rest {
            Rest::Open(body) => body.size_hint(),
            Rest::Ended => SizeHint::with_exact(0),
            Rest::Taken(missing) => *missing,
        }
    }
}
