//! `Error::find` through the wrappers of the standard library, and through chains of sources.

use std::{error::Error as StdError, fmt, io, sync::Arc, time::Duration};

use auth_core::{BoxError, Error, ErrorKind};

/// An error with a source.
#[derive(Debug)]
struct Wrapped(BoxError);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrapped")
    }
}

impl StdError for Wrapped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

fn denied() -> Error {
    let error = Error::new(ErrorKind::Denied, "unknown client");
    error.with_server_retry_after(Duration::from_secs(7))
}

fn assert_found(error: &(dyn StdError + 'static)) {
    let found = Error::find(error).unwrap_or_else(|| panic!("not found in {error:?}"));
    assert_eq!(found.kind(), ErrorKind::Denied);
    assert_eq!(found.server_retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn an_error_is_found_in_itself_and_in_boxes() {
    assert_found(&denied());
    let boxed: BoxError = denied().into();
    assert_found(&*boxed);
    let local: Box<dyn StdError> = Box::new(denied());
    assert_found(&*local);
    assert_found(&Box::new(denied()));
}

#[test]
fn an_error_is_found_in_shared_errors() {
    assert_found(&Arc::new(denied()));
    let shared: Arc<dyn StdError + Send + Sync> = Arc::new(denied());
    assert_found(&shared);
    assert_found(&*shared);
    let local: Arc<dyn StdError> = Arc::new(denied());
    assert_found(&local);
    assert_found(&Wrapped(Box::new(shared)));
    assert_found(&Arc::new(Wrapped(denied().into())));
}

/// `source` of an `io::Error` returns the source of the error that it contains.
#[test]
fn an_error_is_found_in_io_errors() {
    assert_found(&io::Error::other(denied()));
    assert_found(&io::Error::new(io::ErrorKind::TimedOut, denied()));
    assert_found(&io::Error::other(io::Error::other(denied())));
    assert_found(&Wrapped(io::Error::other(Wrapped(denied().into())).into()));
    assert_found(&Arc::new(io::Error::other(denied())));
    assert_found(&Box::new(io::Error::other(denied())));
    assert_found(&io::Error::other(Arc::new(denied())));
}

#[test]
fn the_outermost_of_several_errors_is_found() {
    let inner = Error::new(ErrorKind::Timeout, "the vault");
    let outer = denied().with_source(inner);
    assert_found(&Wrapped(outer.into()));
}

#[test]
fn an_error_is_found_below_sixty_others() {
    let mut error: BoxError = denied().into();
    for _ in 0..60 {
        error = Box::new(Wrapped(error));
    }
    assert_found(&*error);
}

#[test]
fn nothing_is_found_where_there_is_nothing() {
    assert!(Error::find(&io::Error::from(io::ErrorKind::NotFound)).is_none());
    assert!(Error::find(&io::Error::other("text")).is_none());
    assert!(Error::find(&Wrapped("text".into())).is_none());
    assert!(Error::find(&fmt::Error).is_none());
}

/// An error that is its own source.
#[derive(Debug)]
struct Cyclic;

impl fmt::Display for Cyclic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cyclic")
    }
}

impl StdError for Cyclic {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self)
    }
}

/// An error with an endless chain of sources.
#[derive(Debug)]
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("endless")
    }
}

impl StdError for Endless {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(Box::leak(Box::new(Endless)))
    }
}

#[test]
fn a_cyclic_or_endless_chain_ends() {
    assert!(Error::find(&Cyclic).is_none());
    assert!(Error::find(&io::Error::other(Cyclic)).is_none());
    assert!(Error::find(&Endless).is_none());
}

/// An event with the causes of an error is one of the places that walk a chain.
#[tokio::test]
async fn a_cyclic_cause_does_not_hang_the_log() {
    let (log, _guard) = crate::captured_log::CapturedLog::start();
    let source = auth_test_support::scripted::Scripted::always(
        auth_test_support::scripted::Answer::Fails(denied().with_source(Cyclic)),
    );
    let tokens = auth_core::TokenCache::new(source);
    assert_found(&tokens.token().await.unwrap_err());
    assert!(log.text().contains("cyclic"));
}
