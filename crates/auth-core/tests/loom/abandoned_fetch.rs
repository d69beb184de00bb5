//! A fetch that finishes after the cache has abandoned it.

use loom::thread;

use super::{
    every_order,
    scripted::Answer,
    setting::{Setting, give_up, secret},
};

/// The cache abandons a first fetch, which takes too long, and starts a second one. The first fetch
/// finishes nevertheless: before the second, during it or after it.
fn two_fetches(answers: &[Answer]) -> Setting {
    let setting = Setting::cold(answers);
    give_up(&setting.tokens);
    thread::yield_now();
    // longer than an attempt may take
    setting.clock.advance(20);
    let outcome = secret(&setting.tokens);
    assert!(outcome.is_err() || ["t1", "t2"].contains(&outcome.unwrap().as_str()));
    setting.settle();
    setting
}

#[test]
fn an_abandoned_fetch_does_not_replace_the_token_of_the_next() {
    every_order(|| {
        let setting = two_fetches(&[Answer::Token]);
        let current = setting.tokens.cached().unwrap();
        let last = format!("Bearer t{}", setting.requests());
        assert_eq!(current.header(), &last);
    });
}

#[test]
fn the_failure_of_an_abandoned_fetch_is_ignored() {
    every_order(|| {
        let setting = two_fetches(&[Answer::Failure, Answer::Token]);
        let status = setting.tokens.status();
        assert_eq!(status.has_usable_token(), status.consecutive_failures == 0);
    });
}
