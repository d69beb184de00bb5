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

use std::{future::Future, time::Duration};

const LIFETIME: Duration = Duration::from_secs(3600);

/// A library that holds a token with a lifetime of an hour.
pub trait Library: Sized + Sync {
    const NAME: &'static str;

    /// The result of one read.
    type Read;

    /// Obtains the token.
    fn ready() -> impl Future<Output = Self>;

    /// Returns a function that reads once. It is made and used in the same thread.
    fn reader(&self) -> impl FnMut() -> Self::Read;
}
