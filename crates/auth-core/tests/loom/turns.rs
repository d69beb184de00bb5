//! Two caches of one source, and one token request at a time.

use std::sync::Arc;

use auth_core::{TokenCache, TokenCaches, TokenRequest};

use super::{
    every_order,
    scripted::{Answer, ManualClock, Source},
    setting::{beside, give_up, secret},
};

fn caches(answers: &[Answer]) -> (Arc<Source>, TokenCaches) {
    let source = Arc::new(Source::new(answers));
    let default = TokenCache::builder(Arc::clone(&source)).clock(ManualClock::default());
    let builder = TokenCaches::builder(default.build()).max_concurrent_requests(1);
    (source, builder.build().unwrap())
}

fn other(tokens: &TokenCaches) -> TokenCache {
    tokens.cache(&TokenRequest::builder().audience("other").build().unwrap())
}

#[test]
fn no_turn_is_lost_between_two_fetches() {
    every_order(|| {
        let (source, tokens) = caches(&[Answer::Token]);
        let beside = beside(&other(&tokens), |other| secret(other).unwrap());
        secret(tokens.default_cache()).unwrap();
        beside.join().unwrap();
        assert_eq!((source.requests(), source.max_in_flight()), (2, 1));
    });
}

#[test]
fn a_fetch_that_is_dropped_returns_its_turn() {
    every_order(|| {
        let (source, tokens) = caches(&[Answer::Token]);
        let dropped = other(&tokens);
        let beside = beside(&dropped, give_up);
        drop(dropped);
        beside.join().unwrap();
        // the cache that gave up is the map's own: its task goes on, or has ended
        secret(tokens.default_cache()).unwrap();
        assert_eq!(source.max_in_flight(), 1);
    });
}
