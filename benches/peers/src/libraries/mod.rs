//! A file for each library: how it obtains its token, and how it is read.

pub mod aliri_tokens;
pub mod auth_core;
pub mod aws_smithy_runtime;
pub mod azure_core;
pub mod gcp_auth;
pub mod google_cloud_auth;
pub mod huskarl;
pub mod middle;
pub mod rwlock_by_hand;

use std::{fmt, future::Future};

use bytes::{BufMut, BytesMut};
use http::HeaderValue;

use crate::source::{Failure, Source};

/// The number of callers at the same time, without a token, while the source fails.
const CALLERS: usize = 32;

/// A library that holds a token with a lifetime of an hour.
pub trait Library: Sized + Sync {
    const NAME: &'static str;

    /// The header, ready to be sent, or a request that contains it.
    type Header;

    /// Obtains the token.
    fn ready() -> impl Future<Output = Self>;

    /// Returns a function that reads once: it checks that the token has not expired, and returns the
    /// header. It is made and used in the same thread.
    fn reader(&self) -> impl FnMut() -> Self::Header;
}

/// A library that lends its token, or hands out a share of it. A read then saves the header.
pub trait Lends: Library {
    const NAME: &'static str;

    type Loan;

    /// Returns a function that reads once: it checks that the token has not expired, and returns the loan.
    fn lender(&self) -> impl FnMut() -> Self::Loan;
}

/// A library whose callers can wait for the first token.
pub trait Awaited: Library + Clone + Send + 'static {
    type Token: Send + 'static;
    type Error: fmt::Debug + Send + 'static;

    /// Creates it without a token, in a runtime.
    fn cold(source: Source) -> Self;

    /// Waits for a token.
    fn token(self) -> impl Future<Output = Result<Self::Token, Self::Error>> + Send + 'static;
}

/// Creates a library, and waits for its first token.
async fn ready<L: Awaited>() -> L {
    let library = L::cold(Source::issuing());
    library.clone().token().await.unwrap();
    library
}

/// Has [`CALLERS`] callers without a token ask a failing source at the same time.
pub async fn failing<L: Awaited>(failure: Failure) -> Source {
    let source = Source::failing(failure, CALLERS);
    let library = L::cold(source.clone());
    source.ask(|| library.clone().token()).await;
    source
}

/// Builds the header from a token, for libraries that hand out no header: one allocation, one copy.
fn header(token: &str) -> HeaderValue {
    const SCHEME: &[u8] = b"Bearer ";
    let mut bytes = BytesMut::with_capacity(SCHEME.len() + token.len());
    bytes.put_slice(SCHEME);
    bytes.put_slice(token.as_bytes());
    let mut header = HeaderValue::from_maybe_shared(bytes.freeze()).unwrap();
    header.set_sensitive(true);
    header
}
