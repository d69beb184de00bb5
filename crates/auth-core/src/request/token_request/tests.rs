use std::collections::{BTreeSet as Ordered, HashSet as Hashed};

use super::*;

/// One that leaves everything open, and one for each field that sets this field alone.
fn one_for_each_field() -> Vec<TokenRequest> {
    // a new field does not compile until it stands here; then let a request below set it
    let Fields {
        scopes: _,
        resources: _,
        audience: _,
        parameters: _,
    } = Fields::default();
    let base = TokenRequest::builder;
    let requests = [
        base(),
        base().scope("s"),
        base().resource("https://r/"),
        base().audience("a"),
        base().parameter("p", "v"),
    ];
    requests.map(|builder| builder.build().unwrap()).into()
}

#[test]
fn every_field_is_part_of_the_key() {
    let hashed: Hashed<_> = one_for_each_field().into_iter().collect();
    let ordered: Ordered<_> = one_for_each_field().into_iter().collect();
    assert_eq!((hashed.len(), ordered.len()), (5, 5));
    let same: Hashed<_> = [one_for_each_field(), one_for_each_field()]
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(same, hashed);
}

#[test]
fn yup_oauth2_two_requests_with_one_hash_are_still_two() {
    for one in one_for_each_field() {
        for other in one_for_each_field() {
            let colliding = TokenRequest {
                hash: one.hash,
                fields: Arc::clone(&other.fields),
            };
            assert_eq!(one == colliding, one.fields == other.fields);
        }
    }
}

#[test]
fn yup_oauth2_scopes_do_not_cancel_each_other_out() {
    let of = |scope: &str| TokenRequest::builder().scope(scope).build().unwrap();
    assert_eq!(of("a b"), of("b a"));
    assert_ne!(of("a b a b"), of(""));
    assert_ne!(of("a b"), of("ab"));
}

#[test]
fn a_request_that_asks_for_nothing_is_made_once() {
    let (one, other) = (TokenRequest::default(), TokenRequest::default());
    assert!(Arc::ptr_eq(&one.fields, &other.fields));
    assert_eq!(one, TokenRequest::builder().build().unwrap());
}

#[test]
fn what_is_left_open_comes_from_the_defaults() {
    let defaults = TokenRequest::builder()
        .scope("scope")
        .resource("https://r/")
        .audience("aud")
        .parameter("p", "1")
        .parameter("q", "2")
        .build()
        .unwrap();
    let request = TokenRequest::builder()
        .scope("other")
        .parameter("p", "mine")
        .build()
        .unwrap();
    let merged = request.or(&defaults);
    assert_eq!(merged.scopes().to_string(), "other");
    assert_eq!(merged.audience(), Some("aud"));
    assert_eq!(
        merged.parameters().collect::<Vec<_>>(),
        [("p", "mine"), ("q", "2")]
    );
    assert_eq!(TokenRequest::default().or(&defaults), defaults);
}
