use proptest::prelude::*;

use super::*;

/// Any JSON value.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<i32>().prop_map(|number| (f64::from(number) / 8.0).into()),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Of every JSON object, compact or pretty, each member is found, with the value that a JSON
    /// parser finds.
    #[test]
    fn json_objects_are_read_as_a_json_parser_reads_them(
        object in prop::collection::hash_map(any::<String>(), json(), 0..5),
        pretty: bool,
    ) {
        let whole = serde_json::Value::Object(object.clone().into_iter().collect());
        let text = if pretty { format!("{whole:#}") } else { whole.to_string() };
        let members = Members::read(text.as_bytes());
        prop_assert!(members.is_complete() && !members.is_broken());
        prop_assert_eq!(members.members.len(), object.len());
        for (name, value) in &object {
            match members.get(name) {
                None => prop_assert!(value.is_null()),
                Some(found) => {
                    let parsed: serde_json::Value = serde_json::from_slice(found.0).unwrap();
                    prop_assert_eq!(&parsed, value);
                    let text = found.text();
                    prop_assert_eq!(text.as_deref().map(String::as_str), value.as_str());
                    let elements = found.list().map(|elements| elements.len());
                    prop_assert_eq!(elements, value.as_array().map(Vec::len));
                }
            }
        }
    }

    /// No text makes the reader panic, and what it takes for one object has braces.
    #[test]
    fn no_text_is_too_odd(text in prop::collection::vec(any::<u8>(), 0..64)) {
        let members = Members::read(&text);
        for (name, value) in &members.members {
            let _ = (decoded(name), value.text(), value.number(), value.list().is_some());
            let _ = (value.is_meaningful(), value.shape(), value.object().is_some());
        }
        let has_end = text.contains(&b'}');
        prop_assert!(has_end || !members.is_complete());
    }

    /// The same with the characters of JSON.
    #[test]
    fn no_json_is_too_odd(text in "[{}\\[\\]\",:\\\\u0d8 a\u{feff}\u{1}-]{0,40}") {
        let members = Members::read(text.as_bytes());
        for (name, value) in &members.members {
            let _ = (decoded(name), value.text(), value.number(), value.list().is_some());
        }
    }
}

#[test]
fn only_one_whole_object_is_complete() {
    let is_complete = |text: &str| Members::read(text.as_bytes()).is_complete();
    for whole in [
        "{}",
        " { } \r\n",
        "\u{feff}{\"a\":1}",
        "{\"a\":}",
        "{\"a\":NaN}",
    ] {
        assert!(is_complete(whole), "{whole}");
    }
    for other in [
        "",
        "{",
        "}",
        "[]",
        "[{}]",
        "{}{}",
        "{},",
        "{}\0",
        "{}\u{feff}",
        "{\"a\"}",
        "{\"a\":1",
        "{\"a\":1]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\" 1}",
        "{\"a\":\"}",
        "{\"a\":[}",
        "\0{}",
        "null",
        "\"{}\"",
        "/**/{}",
    ] {
        assert!(!is_complete(other), "{other}");
    }
}

#[test]
fn surrogates_are_joined_or_replaced() {
    let text = |json: &str| unescaped(json.as_bytes()).to_string();
    assert_eq!(text(r"\ud83d\ude00!"), "\u{1f600}!");
    assert_eq!(text(r"\uD83Dx\uDE00"), "\u{fffd}x\u{fffd}");
    assert_eq!(text(r"\ud83d\u0041"), "\u{fffd}A");
    assert_eq!(text(r"\ud83d\n"), "\u{fffd}\n");
    assert_eq!(text(r"\u12"), "\u{fffd}u12");
    assert_eq!(text(r"\u+123"), "\u{fffd}u+123");
    assert_eq!(text(r"\"), "\u{fffd}");
}
