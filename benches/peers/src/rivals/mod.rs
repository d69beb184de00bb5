//! A file for each rival: how it is made ready, and what a read of it is.

pub mod aliri_tokens;
pub mod auth_core;
pub mod aws_smithy_runtime;
pub mod azure_core;
pub mod gcp_auth;
pub mod google_cloud_auth;
pub mod huskarl;
pub mod middle;

use std::{future::Future, time::Duration};

const LIFETIME: Duration = Duration::from_secs(3600);

/// Keeps a token that it has got and that lives for an hour.
pub trait Rival: Sized + Sync {
    const NAME: &'static str;

    /// What one read hands out.
    type Read;

    /// Gets the token.
    fn ready() -> impl Future<Output = Self>;

    /// Made in a thread, and used there: what it does is one read.
    fn reader(&self) -> impl FnMut() -> Self::Read;
}
