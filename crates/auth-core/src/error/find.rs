//! Finds an [`Error`] in a chain of other errors.

use std::{error::Error as StdError, io, sync::Arc};

use super::Error;

/// The maximum number of errors that are examined. A chain may be cyclic, or endless.
const MAX_ERRORS: usize = 128;

/// Any error, borrowed.
type Any = dyn StdError + 'static;

impl Error {
    /// Finds the outermost `Error` in `error` and its sources, however it is wrapped.
    ///
    /// Looks through the [sources](StdError::source) and through wrappers that hide the error they
    /// hold from that chain: `io::Error`, `Arc` and `Box`. The error of the adapters is thus found
    /// through reqwest-middleware, reqwest-retry, anyhow, tower's boxed errors and `tonic::Status`.
    /// At most 128 errors are examined.
    ///
    /// A boxed error `e` is passed as `&*e`, an `anyhow::Error` as `e.as_ref()`. anyhow hides the
    /// type of an error that it receives as a box (`from_boxed`, `anyhow!(e)`), and that of an error
    /// without context that it returns as a box. Call `find` before such a conversion.
    ///
    /// ```
    /// use auth_core::{BoxError, Error, ErrorKind};
    ///
    /// /// Returns whether the authorization server denied the client.
    /// fn is_denied(error: &(dyn std::error::Error + 'static)) -> bool {
    ///     Error::find(error).is_some_and(|error| error.kind() == ErrorKind::Denied)
    /// }
    ///
    /// let denied = Error::new(ErrorKind::Denied, "unknown client");
    /// let wrapped: BoxError = std::io::Error::other(denied).into();
    /// assert!(is_denied(&*wrapped));
    /// ```
    #[must_use]
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        for _ in 0..MAX_ERRORS {
            let error = next?;
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = held(error).or_else(|| error.source());
        }
        None
    }
}

/// Returns the error that `error` holds, if its type hides it: `source` of these types returns the
/// source of the error that they hold.
fn held(error: &Any) -> Option<&Any> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.get_ref().map(|held| held as &Any);
    }
    if let Some(error) = error.downcast_ref::<Arc<dyn StdError + Send + Sync>>() {
        return Some(&**error);
    }
    if let Some(error) = error.downcast_ref::<Arc<Any>>() {
        return Some(&**error);
    }
    pointee::<Error>(error).or_else(|| pointee::<io::Error>(error))
}

fn pointee<T: StdError + 'static>(error: &Any) -> Option<&Any> {
    if let Some(error) = error.downcast_ref::<Arc<T>>() {
        return Some(&**error);
    }
    let error = error.downcast_ref::<Box<T>>()?;
    Some(&**error)
}
