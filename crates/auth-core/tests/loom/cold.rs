//! A cache without a token.

use auth_core::ErrorKind;
use loom::thread;

use super::{
    every_order,
    scripted::Answer,
    setting::{Setting, beside, give_up, secret},
};

#[test]
fn two_callers_without_a_token_share_one_request() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token, Answer::Failure]);
        let other = beside(&setting.tokens, secret);
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        assert_eq!(other.join().unwrap().unwrap(), "t1");
        assert_eq!(setting.requests(), 1);
    });
}

#[test]
fn two_callers_without_a_token_share_one_failure() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Failure]);
        let other = beside(&setting.tokens, secret);
        let mine = secret(&setting.tokens).unwrap_err();
        let others = other.join().unwrap().unwrap_err();
        assert_eq!(
            [mine.kind(), others.kind()],
            [ErrorKind::Unavailable, ErrorKind::Unavailable]
        );
        assert_eq!(setting.requests(), 1);
    });
}

#[test]
fn a_dropped_caller_neither_stops_nor_repeats_the_request() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token, Answer::Failure]);
        let other = beside(&setting.tokens, give_up);
        assert_eq!(secret(&setting.tokens).unwrap(), "t1");
        other.join().unwrap();
        assert_eq!(setting.requests(), 1);
    });
}

#[test]
fn dropping_the_last_handle_stops_the_request_in_flight() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Never]);
        let other = beside(&setting.tokens, give_up);
        give_up(&setting.tokens);
        let Setting { tokens, source, .. } = setting;
        drop(tokens);
        other.join().unwrap();
        // loom would report a request that is not stopped as a blocked thread
        while source.in_flight() > 0 {
            thread::yield_now();
        }
    });
}
