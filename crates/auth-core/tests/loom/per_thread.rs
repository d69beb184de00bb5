//! Each thread reads its own copy of the token.

use std::sync::Arc;

use auth_core::TokenCache;
use loom::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread::yield_now,
};

use super::{
    every_order,
    scripted::Answer,
    setting::{Setting, beside, secret},
};

#[test]
fn two_threads_that_live_at_the_same_time_never_clone_the_same_copy() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token, Answer::Failure]);
        let fetch = beside(&setting.tokens, secret);
        fetch.join().unwrap().unwrap();
        let finished = Arc::new(AtomicUsize::new(0));
        let others = [(); 2].map(|()| {
            let finished = Arc::clone(&finished);
            beside(&setting.tokens, move |tokens: &TokenCache| {
                let authorization = tokens.cached().unwrap();
                // a thread that ends leaves its copy to the next thread
                finished.fetch_add(1, Relaxed);
                while finished.load(Relaxed) < 2 {
                    yield_now();
                }
                authorization.header().as_bytes().as_ptr().addr()
            })
        });
        let [one, another] = others.map(|other| other.join().unwrap());
        assert_ne!(one, another);
    });
}
