//! No library: the cache that people write by hand, a header and its expiry in a `RwLock`. A read is a ready
//! header, checked for expiry.

use std::sync::{Arc, RwLock};

use bench_support::floor::Entry;
use http::HeaderValue;

use super::Library;

pub struct RwLockByHand(Arc<RwLock<Entry>>);

impl Library for RwLockByHand {
    const NAME: &'static str = "rwlock_by_hand";

    type Header = HeaderValue;

    async fn ready() -> Self {
        Self(Arc::new(RwLock::new(Entry::new())))
    }

    fn reader(&self) -> impl FnMut() -> HeaderValue {
        let entry = Arc::clone(&self.0);
        move || {
            let entry = entry.read().unwrap();
            entry.check();
            entry.header.clone()
        }
    }
}
