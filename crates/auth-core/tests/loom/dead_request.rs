//! A token request is given up for dead, and completes all the same.

use loom::thread;

use super::{
    every_order,
    scripted::Answer,
    setting::{Setting, give_up, secret},
};

/// A first flight that nobody waits for any more is found too old, and a second one is started; the
/// first lands all the same: before, in between or after.
fn two_flights(answers: &[Answer]) -> Setting {
    let setting = Setting::cold(answers);
    give_up(&setting.tokens);
    thread::yield_now();
    // longer than any attempt may take
    setting.clock.advance(20);
    let outcome = secret(&setting.tokens);
    assert!(outcome.is_err() || ["t1", "t2"].contains(&outcome.unwrap().as_str()));
    setting.settle();
    setting
}

#[test]
fn a_request_given_up_for_dead_does_not_replace_the_next_ones_token() {
    every_order(|| {
        let setting = two_flights(&[Answer::Token]);
        let current = setting.tokens.cached().unwrap();
        let last = format!("Bearer t{}", setting.requests());
        assert_eq!(current.header(), &last);
    });
}

#[test]
fn the_failure_of_a_request_given_up_for_dead_is_ignored() {
    every_order(|| {
        let setting = two_flights(&[Answer::Failure, Answer::Token]);
        let status = setting.tokens.status();
        assert_eq!(status.is_usable(), status.failures_in_a_row == 0);
    });
}
