//! Sets of scopes: they collect into a union, and iterate in ascending order.

use auth_core::{Error, ErrorKind, Scopes};

fn scopes(text: &str) -> Scopes {
    text.parse().unwrap()
}

#[test]
fn sets_collect_into_their_union() {
    let union: Scopes = [scopes("b a"), Scopes::default(), scopes("c b")]
        .into_iter()
        .collect();
    assert_eq!(union, scopes("a b c"));
    let none: Scopes = std::iter::empty().collect();
    assert!(none.is_empty());
}

#[test]
fn parsed_scopes_collect_into_a_set_or_the_first_error() {
    let parse = |texts: [&str; 3]| -> Result<Scopes, Error> {
        texts.into_iter().map(str::parse::<Scopes>).collect()
    };
    assert_eq!(
        parse(["event", "document_read", "event"]).unwrap(),
        scopes("document_read event")
    );
    let error = parse(["event", "say \"please\"", "\\"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("please"), "{error}");
}

#[test]
fn a_set_iterates_in_ascending_order_without_repetitions() {
    let scopes = scopes("event document_write event B document_read");
    let expected = ["B", "document_read", "document_write", "event"];
    assert_eq!(scopes.iter().collect::<Vec<_>>(), expected);
    let mut visited = Vec::new();
    for scope in &scopes {
        visited.push(scope);
    }
    assert_eq!(visited, expected);
    assert_eq!((&scopes).into_iter().len(), 4);
}
