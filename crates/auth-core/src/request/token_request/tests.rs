use std::collections::{BTreeSet as Ordered, HashSet as Hashed};

use super::*;

/// Returns an empty request, and for each field a request that sets only this field.
fn one_for_each_field() -> Vec<TokenRequest> {
    // does not compile with a new field: add the field here, and a request that sets it below
    let Fields {
        scopes: _,
        resources: _,
        audience: _,
        authorization_details: _,
        parameters: _,
    } = Fields::default();
    let base = TokenRequest::builder;
    let requests = [
        base(),
        base().scope("s"),
        base().resource("https://r/"),
        base().audience("a"),
        base().authorization_detail(r#"{"type":"t"}"#),
        base().parameter("p", "v"),
    ];
    requests.map(|builder| builder.build().unwrap()).into()
}

#[test]
fn every_field_is_part_of_the_key() {
    let hashed: Hashed<_> = one_for_each_field().into_iter().collect();
    let ordered: Ordered<_> = one_for_each_field().into_iter().collect();
    assert_eq!((hashed.len(), ordered.len()), (6, 6));
    let same: Hashed<_> = [one_for_each_field(), one_for_each_field()]
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(same, hashed);
}

#[test]
fn two_requests_with_the_same_hash_are_different() {
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
fn scopes_do_not_cancel_each_other_out() {
    let of = |scope: &str| TokenRequest::builder().scope(scope).build().unwrap();
    assert_eq!(of("a b"), of("b a"));
    assert_ne!(of("a b a b"), of(""));
    assert_ne!(of("a b"), of("ab"));
}

#[test]
fn all_empty_requests_are_clones_of_one() {
    let (one, other) = (TokenRequest::default(), TokenRequest::default());
    assert!(Arc::ptr_eq(&one.fields, &other.fields));
    assert_eq!(one, TokenRequest::builder().build().unwrap());
}

#[test]
fn defaults_complete_a_request() {
    let defaults = TokenRequest::builder()
        .scope("scope")
        .resource("https://r/")
        .audience("aud")
        .authorization_detail(r#"{"type":"t"}"#)
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
    assert_eq!(merged.authorization_details().count(), 1);
    let other = TokenRequest::builder().authorization_detail(r#"{"type":"other"}"#);
    let merged_details = other.build().unwrap().or(&defaults);
    assert!(
        merged_details
            .authorization_details()
            .eq([r#"{"type":"other"}"#])
    );
    assert_eq!(
        merged.parameters().collect::<Vec<_>>(),
        [("p", "mine"), ("q", "2")]
    );
    assert_eq!(TokenRequest::default().or(&defaults), defaults);
}
