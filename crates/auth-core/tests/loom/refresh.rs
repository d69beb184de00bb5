//! A cache with a stale token.

use auth_core::TokenCache;

use super::{
    every_order,
    scripted::Answer,
    setting::{Setting, beside},
};

/// Reads twice. Each token is consistent, and a replaced token does not come back.
fn read_twice(tokens: &TokenCache) {
    let [first, second] = [0, 1].map(|_| {
        let authorization = tokens.cached().expect("a usable token is there");
        let generation = authorization.generation();
        let header = authorization.header();
        assert_eq!(header, &format!("Bearer t{generation}"));
        generation
    });
    assert!(first <= second, "{first} and then {second}");
}

/// Two threads read a stale token. They cause one refresh, after which the token of this
/// `generation` is current.
fn one_refresh(answer: Answer, generation: u64) {
    every_order(move || {
        let setting = Setting::stale(answer);
        let other = beside(&setting.tokens, read_twice);
        read_twice(&setting.tokens);
        other.join().unwrap();
        setting.settle();
        assert_eq!(setting.requests(), 2);
        assert_eq!(setting.tokens.cached().unwrap().generation(), generation);
    });
}

#[test]
fn reads_of_a_stale_token_start_one_refresh_and_see_its_token() {
    one_refresh(Answer::Token, 2);
}

#[test]
fn a_failed_refresh_keeps_the_token_and_is_not_repeated() {
    one_refresh(Answer::Failure, 1);
}

#[test]
fn clearing_the_backoff_while_a_refresh_fails_blocks_no_later_refresh() {
    every_order(|| {
        let setting = Setting::stale(Answer::Failure);
        let other = beside(&setting.tokens, TokenCache::clear_backoff);
        assert!(setting.tokens.cached().is_some());
        other.join().unwrap();
        setting.settle();
        setting.clock.advance(60);
        let before = setting.requests();
        assert!(setting.tokens.cached().is_some());
        setting.settle();
        assert_eq!(setting.requests(), before + 1);
    });
}
