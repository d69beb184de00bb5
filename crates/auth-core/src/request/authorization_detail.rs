//! Details of a requested authorization (RFC 9396 §2): JSON objects, each with a type.

use std::borrow::Cow;

use crate::json_members::{Members, Value, is_json};

/// Returns the JSON object without the blanks at its ends, or what the text is in its place.
pub(super) fn checked_detail(json: &str) -> Result<&str, String> {
    let json = json.trim();
    if !is_json(json) {
        return Err("a text that is not one JSON value of at most 64 levels".into());
    }
    if !json.starts_with('{') {
        return Err("another JSON value".into());
    }
    let members = Members::read(json.as_bytes());
    let mut types = members.all("type");
    match (types.next(), types.next()) {
        (None, _) => Err("one without this member".into()),
        (Some(_), Some(_)) => Err("one that has this member twice".into()),
        (Some(value), None) => match value.text() {
            Some(text) if text.trim().is_empty() => Err("one with a blank type".into()),
            Some(_) => Ok(json),
            None => Err(format!("one whose type is {}", value.shape())),
        },
    }
}

/// Returns the type of a detail, for `Debug`. The other members may be confidential.
pub(super) fn detail_type(json: &str) -> Cow<'static, str> {
    let members = Members::read(json.as_bytes());
    let text = members.get("type").and_then(Value::text);
    text.map_or("?".into(), |text| text.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9396_2_a_detail_is_an_object_with_one_type() {
        for good in [r#"{"type":"a"}"#, " {\"x\":[1],\"type\":\"a\"}\n"] {
            assert_eq!(checked_detail(good), Ok(good.trim()));
        }
        for (bad, told) in [
            ("", "not one JSON value"),
            (r#"{"type":"a"},{"type":"b"}"#, "not one JSON value"),
            (r#"{"type":"a","x":s3cr3t}"#, "not one JSON value"),
            (r#"[{"type":"a"}]"#, "another JSON value"),
            ("\"s3cr3t\"", "another JSON value"),
            (r#"{"types":"s3cr3t"}"#, "without this member"),
            (r#"{"type":null}"#, "null"),
            (r#"{"type":7}"#, "a number"),
            (r#"{"type":" "}"#, "a blank type"),
            (r#"{"type":"a","\u0074ype":"b"}"#, "twice"),
        ] {
            let fault = checked_detail(bad).unwrap_err();
            assert!(
                fault.contains(told) && !fault.contains("s3cr3t"),
                "{bad}: {fault}"
            );
        }
        assert_eq!(detail_type(r#"{"type":"a","x":"s3cr3t"}"#), "a");
    }
}
