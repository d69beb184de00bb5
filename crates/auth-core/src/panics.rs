//! Runs user code whose panic is an error.

use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use crate::{Error, ErrorKind};

/// Runs user code, and returns an error if it panics, also while its finished future is dropped.
///
/// The payload of a panic may hold a secret. The error therefore states only `what`.
pub(crate) async fn catch_panic<T>(
    kind: ErrorKind,
    what: &'static str,
    user_code: impl Future<Output = T>,
) -> Result<T, Error> {
    let mut user_code = pin!(user_code);
    poll_fn(|cx| {
        let user_code = user_code.as_mut();
        // the future is not polled again after a panic
        match catch_unwind(AssertUnwindSafe(|| user_code.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_payload) => Poll::Ready(Err(Error::new(kind, what))),
        }
    })
    .await
}
