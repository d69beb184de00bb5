use std::{
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{boxed_body::BodyError, frames::Frames, replayed_body::ReplayedBody};

/// A body and the frames read from it. The first attempt and the recording share it, so that it
/// outlives either of them.
pub(super) struct SharedBody<B>(Mutex<State<B>>);

struct State<B> {
    rest: Rest<B>,
    /// The frames read so far. `None` if they exceed the bound, or if no replay is needed.
    frames: Option<Frames>,
    /// The task of the first attempt while it waits for a frame. The replay wakes it when it takes the
    /// body.
    waiter: Option<Waker>,
    announced: SizeHint,
    /// Whether the replay may take the rest of the body. The server must not take the first attempt for
    /// complete. Therefore its body must have been dropped, or its error type must have a value with
    /// which it can fail.
    may_take: bool,
}

enum Rest<B> {
    /// The body, which has more to read.
    Open(B),
    /// The whole body was read. It is not polled after its end, because some bodies panic then.
    Ended,
    /// The replay took the body, of which this much was missing.
    Taken(SizeHint),
}

impl<B: Body<Error: BodyError>> SharedBody<B> {
    pub(super) fn new(body: B, bound: usize) -> Self {
        Self(Mutex::new(State {
            announced: body.size_hint(),
            rest: Rest::Open(body),
            frames: Some(Frames::within(bound)),
            waiter: None,
            may_take: B::Error::TAKEN_BY_REPLAY.is_some(),
        }))
    }

    /// Takes the body from the first attempt, if every frame read from it was kept.
    pub(super) fn replay(&self) -> Option<ReplayedBody<B>> {
        let mut state = self.replayable()?;
        let frames = state.frames.take()?;
        let rest = match mem::replace(&mut state.rest, Rest::Ended) {
            Rest::Open(body) if !body.is_end_stream() => {
                state.rest = Rest::Taken(body.size_hint());
                Some(body)
            }
            // the first attempt has read everything
            _ => None,
        };
        let (announced, waiter) = (state.announced, state.waiter.take());
        drop(state);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
        Some(ReplayedBody::new(frames, rest, announced))
    }
}

impl<B: Body> SharedBody<B> {
    pub(super) fn is_replayable(&self) -> bool {
        self.replayable().is_some()
    }

    /// Returns the state if every frame was kept and the rest may be taken.
    fn replayable(&self) -> Option<MutexGuard<'_, State<B>>> {
        let state = self.0.lock().ok()?;
        let is_open = matches!(&state.rest, Rest::Open(body) if !body.is_end_stream());
        (state.frames.is_some() && (state.may_take || !is_open)).then_some(state)
    }
}

impl<B> SharedBody<B> {
    /// Frees the frames and keeps no more of them.
    pub(super) fn stop_recording(&self) {
        let mut state = self.lock();
        let dropped_after_unlock = (state.frames.take(), state.waiter.take());
        drop(state);
        drop(dropped_after_unlock);
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
        let is_replayable = match polled {
            Poll::Pending => {
                let waiter = self.waiter.get_or_insert_with(|| task.clone());
                waiter.clone_from(task);
                true
            }
            Poll::Ready(Some(Ok(frame))) => frames.keep(frame),
            Poll::Ready(Some(Err(_))) => false,
            Poll::Ready(None) => true,
        };
        if !is_replayable {
            (self.frames, self.waiter) = (None, None);
        }
    }
}

/// The body of the first attempt. Each frame read is sent at once, and a copy is kept.
pub(super) struct RecordedBody<B>(pub(super) Arc<SharedBody<B>>);

impl<B> Drop for RecordedBody<B> {
    fn drop(&mut self) {
        self.0.lock().may_take = true;
    }
}

impl<B> Body for RecordedBody<B>
where
    B: Body<Data = Bytes, Error: BodyError> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    /// Polls the body under the lock. A replay that takes the body from another thread waits for it.
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let state = &mut *self.0.lock();
        let polled = match &mut state.rest {
            Rest::Open(body) => Pin::new(body).poll_frame(cx),
            Rest::Ended => Poll::Ready(None),
            Rest::Taken(_) => {
                let taken = B::Error::TAKEN_BY_REPLAY;
                return taken.map_or(Poll::Pending, |error| Poll::Ready(Some(Err(error()))));
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
