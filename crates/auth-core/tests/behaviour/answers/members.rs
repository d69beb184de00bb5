//! One bad member does not spoil the rest.

use auth_core::ErrorKind;

use super::{Answer, token_with};

/// Values that are unreadable, or that no JSON text may contain.
const BAD_VALUES: &[&[u8]] = &[
    b"\"\xe9\"",
    b"\"\xff\xfe\xfd\"",
    b"\"\xed\xa0\x80\"",
    b"\"\\ud83d\"",
    b"\"\\ude00\\ud83d\"",
    b"\"\\u12\"",
    b"\"\\x41\"",
    b"\"it\\'s\"",
    b"\"a\nb\tc\x00d\x1b[31m\"",
    b"1e400",
    b"-1e999999999",
    b"NaN",
    b"-Infinity",
    b"undefined",
    b"01",
    b".5",
    b"+1",
    b"1,5".split_at(1).0,
    b"True",
    b"None",
    b"{}",
    b"[null,{\"a\":[\"]}\"]}]",
    b"{\"access_token\":\"nested\",\"error\":\"invalid_client\"}",
    b"[\"access_token\",\"error\"]",
];

fn with_member(start: &str, name: &[u8], value: &[u8], end: &str) -> Vec<u8> {
    [start.as_bytes(), b"\"", name, b"\":", value, end.as_bytes()].concat()
}

#[tokio::test]
async fn a_bad_value_of_an_unneeded_member_leaves_the_token_readable() {
    for value in BAD_VALUES {
        let start = r#"{"access_token":"tok1",  "#;
        let end = r#" , "token_type":"Bearer","expires_in":600}"#;
        let body = with_member(start, b"x", value, end);
        let text = String::from_utf8_lossy(&body).into_owned();
        let response = Answer::new(200, body).read().await;
        let response = response.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(response.access_token(), "tok1");
        assert_eq!(response.expires_in().unwrap().as_secs(), 600);
    }
}

#[tokio::test]
async fn a_bad_name_of_a_member_leaves_the_token_readable() {
    for name in [
        &b"\\ud800"[..],
        b"\xff",
        b"\\q",
        b"a\nb",
        b"",
        b"\\\"access_token",
    ] {
        let start = r#"{"access_token":"tok1","#;
        let body = with_member(start, name, b"1", r#","token_type":"Bearer"}"#);
        assert_eq!(Answer::new(200, body).token().await.access_token(), "tok1");
    }
}

#[tokio::test]
async fn a_bad_value_beside_a_known_error_code_leaves_the_code_readable() {
    for value in BAD_VALUES {
        for name in ["error_description", "error_uri", "x", "message"] {
            for status in [400, 401, 200] {
                let end = r#","error":"invalid_client"}"#;
                let body = with_member("{", name.as_bytes(), value, end);
                let text = String::from_utf8_lossy(&body).into_owned();
                let error = Answer::new(status, body).error().await;
                assert_eq!(error.kind(), ErrorKind::Denied, "{text}: {error}");
                assert_eq!(error.error_code(), Some("invalid_client"), "{text}");
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains(char::is_control), "{shown:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_known_error_code_is_reported_whatever_follows_it() {
    let start = r#"{"error":"invalid_client","error_description":"#;
    for rest in [
        "\"cut of",
        "[[[[",
        "\"a\"} trailing",
        "\"a\"",
        "}",
        "\"a\" \"b\" , }",
    ] {
        let body = format!("{start}{rest}");
        let error = Answer::new(400, body).error().await;
        assert_eq!(error.error_code(), Some("invalid_client"), "{rest}");
        assert_eq!(error.kind(), ErrorKind::Denied, "{rest}");
    }
}

#[tokio::test]
async fn a_deeply_nested_value_neither_spoils_the_rest_nor_overflows_the_stack() {
    let depth = 200_000;
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let response = token_with(&format!(r#","x":{nested},"expires_in":600"#))
        .token()
        .await;
    assert_eq!(response.expires_in().unwrap().as_secs(), 600);
    for body in [
        format!(r#"{{"x":{nested},"error":"invalid_client"}}"#),
        format!(r#"{{"error":{nested}}}"#),
        nested.clone(),
        "{\"error\":".repeat(depth),
    ] {
        let error = Answer::new(400, body).error().await;
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let token = b"\xef\xbb\xbf{\"access_token\":\"tok1\",\"token_type\":\"Bearer\"}";
    assert_eq!(
        Answer::new(200, *token).token().await.access_token(),
        "tok1"
    );
    let error = b"\xef\xbb\xbf \r\n{\"error\":\"invalid_scope\"}";
    let error = Answer::new(400, *error).error().await;
    assert_eq!(error.error_code(), Some("invalid_scope"));
}

#[tokio::test]
async fn an_odd_type_of_an_optional_member_means_unknown() {
    for value in ["7", "true", "{}", "[7]", "[null]", "[[\"a\"]]", "NaN"] {
        let response = token_with(&format!(r#","scope":{value}"#)).token().await;
        assert_eq!(response.scopes().unwrap().to_string(), "a b", "{value}");
    }
    for value in ["null", "false", "0", "[]", "{}", "\"\"", "\" \""] {
        let response = token_with(&format!(r#","error":{value}"#)).token().await;
        assert_eq!(response.access_token(), "tok1", "{value}");
    }
}

#[tokio::test]
async fn an_odd_type_of_the_token_is_an_error_that_names_the_member() {
    for value in ["7", "true", "{}", "[\"tok1\"]", "NaN", "\"\"", "null"] {
        let body = format!(r#"{{"access_token":{value},"token_type":"Bearer"}}"#);
        let error = Answer::new(200, body).error().await;
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{value}");
        assert!(error.to_string().contains("access_token"), "{error}");
    }
}

#[tokio::test]
async fn the_last_of_duplicate_members_counts_and_a_known_error_code_always() {
    let body =
        r#"{"access_token":"a","token_type":"mac","access_token":"b","token_type":"Bearer"}"#;
    assert_eq!(Answer::new(200, body).token().await.access_token(), "b");
    let body = r#"{"error":"invalid_client","error":null,"error":"x y"}"#;
    let error = Answer::new(400, body).error().await;
    assert_eq!(error.error_code(), Some("invalid_client"));
}

#[tokio::test]
async fn a_name_or_value_with_escapes_is_the_same_text() {
    let body = r#"{"access\u005ftoken":"t\u006f\u006B1\/","token_type":"\u0042earer"}"#;
    assert_eq!(Answer::new(200, body).token().await.access_token(), "tok1/");
    let body = r#"{"error":"invalid\u005fclient","error_description":"\ud83d\ude00\n"}"#;
    let error = Answer::new(400, body).error().await;
    assert_eq!(error.error_code(), Some("invalid_client"));
    assert_eq!(error.error_description(), Some("\u{1f600}"));
}

#[tokio::test]
async fn a_known_error_code_is_told_under_the_names_of_other_servers() {
    for (body, code, description) in [
        (
            r#"{"ErrorCode":"invalid_client","Error":"ClientId is Invalid"}"#,
            "invalid_client",
            "ClientId is Invalid",
        ),
        (
            r#"{"error_code":"invalid_scope","error_message":"m"}"#,
            "invalid_scope",
            "m",
        ),
        (
            r#"{"error":{"code":"invalid_client","message":"m"}}"#,
            "invalid_client",
            "m",
        ),
        (
            r#"{"error":{"code":403,"message":"m","status":"PERMISSION_DENIED"}}"#,
            "PERMISSION_DENIED",
            "m",
        ),
        (
            r#"{"errors":[{"code":"invalid_grant","message":"m"}]}"#,
            "invalid_grant",
            "m",
        ),
        (
            r#"{"error":"INVALID_CLIENT ","message":"m"}"#,
            "invalid_client",
            "m",
        ),
        (
            r#"[{"errorCode":"invalid_client","message":"m"}]"#,
            "invalid_client",
            "m",
        ),
    ] {
        for status in [400, 200] {
            let error = Answer::new(status, body).error().await;
            assert_eq!(error.error_code(), Some(code), "{body}");
            assert_eq!(error.error_description(), Some(description), "{body}");
            assert_eq!(error.kind(), ErrorKind::Denied, "{body}");
        }
    }
    let form = "error=invalid_client&error_description=no+such+client";
    for status in [401, 200] {
        let answer = Answer::new(status, form);
        let answer = answer.header("content-type", "application/x-www-form-urlencoded");
        let error = answer.error().await;
        assert_eq!(error.error_code(), Some("invalid_client"));
        assert_eq!(error.error_description(), Some("no such client"));
    }
}

#[tokio::test]
async fn a_secret_that_is_part_of_a_known_code_does_not_hide_the_code() {
    use auth_core::{ClientAuthentication, ClientCredentials, TokenRequest, TokenSource};
    let authentication = ClientAuthentication::client_secret_basic("invalid");
    let grant = ClientCredentials::builder("https://as.example/token", "id", authentication);
    let body = r#"{"error":"invalid_client","error_description":"invalid is not the secret"}"#;
    let grant = grant.build(Answer::new(401, body)).unwrap();
    let error = grant.fetch(&TokenRequest::default()).await.unwrap_err();
    assert_eq!(error.error_code(), Some("invalid_client"));
    assert_eq!(
        error.error_description(),
        Some("[redacted] is not the secret")
    );
}
