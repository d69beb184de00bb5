//! Each thread reads its own copy of the token.

use auth_core::TokenCache;

use super::{
    every_order,
    scripted::Answer,
    setting::{Setting, beside, secret},
};

#[test]
fn two_threads_never_clone_the_same_copy() {
    every_order(|| {
        let setting = Setting::cold(&[Answer::Token, Answer::Failure]);
        let fetch = beside(&setting.tokens, secret);
        fetch.join().unwrap().unwrap();
        let address = |tokens: &TokenCache| {
            let authorization = tokens.cached().unwrap();
            authorization.header().as_bytes().as_ptr().addr()
        };
        let others = [(); 2].map(|()| beside(&setting.tokens, address));
        let [one, another] = others.map(|other| other.join().unwrap());
        assert_ne!(one, another);
    });
}
