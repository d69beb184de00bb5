//! As tolerant as what the wire permits: characters of tokens, token types and lifetimes.

use std::time::Duration;

use auth_core::{ErrorKind, TokenResponse};

use super::{Answer, token_with};

fn body(token: &str) -> String {
    format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#)
}

#[tokio::test]
async fn a_token_is_any_visible_ascii() {
    for octet in 0x21..=0x7e_u8 {
        let token = format!("a{}", char::from(octet));
        let json = token.replace('\\', "\\\\").replace('"', "\\\"");
        let response = Answer::new(200, body(&json)).token().await;
        assert_eq!(response.access_token(), token);
        let response = TokenResponse::bearer(token.as_str()).unwrap();
        assert_eq!(response.access_token(), token);
    }
}

#[tokio::test]
async fn another_character_in_a_token_is_an_error_that_names_its_position() {
    for (json, token, what) in [
        ("ab c", "ab c", "a space as character 3 of 4"),
        ("abc\\n", "abc\n", "a control character as character 4 of 4"),
        (
            "\\u0000abc",
            "\0abc",
            "a control character as character 1 of 4",
        ),
        (
            "a\\u007f",
            "a\u{7f}",
            "a control character as character 2 of 2",
        ),
        (
            "a\\u0085",
            "a\u{85}",
            "a control character as character 2 of 2",
        ),
        (
            "t\u{f6}k",
            "t\u{f6}k",
            "a non-ASCII character as character 2 of 3",
        ),
        (
            "tok\u{a0}",
            "tok\u{a0}",
            "a non-ASCII character as character 4 of 4",
        ),
        (
            "tok\\ud800",
            "tok\u{fffd}",
            "a non-ASCII character as character 4 of 4",
        ),
        (
            "\\ufefftok",
            "\u{feff}tok",
            "a non-ASCII character as character 1 of 4",
        ),
        ("bearer abc", "bearer abc", "already holds the scheme"),
        ("BEARER  abc", "BEARER  abc", "already holds the scheme"),
    ] {
        let error = Answer::new(200, body(json)).error().await;
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{json}");
        assert!(error.to_string().contains(what), "{error}");
        assert!(!format!("{error:?}").contains("abc"), "{error:?}");
        let error = TokenResponse::bearer(token).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{json}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[tokio::test]
async fn a_blank_token_type_counts_as_missing_and_blanks_around_it_do_not_count() {
    for kind in ["null", "\"\"", "\" \"", "\" Bearer\\t\"", "\"bEARER\""] {
        let body = format!(r#"{{"access_token":"tok1","token_type":{kind}}}"#);
        assert_eq!(Answer::new(200, body).token().await.access_token(), "tok1");
    }
}

#[tokio::test]
async fn another_token_type_is_an_error_that_names_the_setting() {
    for (kind, shown) in [
        ("\"BearerToken\"", "accept_token_type(\"BearerToken\")"),
        (
            "\"Application Access Token\"",
            "accept_token_type(\"Application Access Token\")",
        ),
        ("\"DPoP\"", "set the key by dpop(...)"),
        ("7", "a number"),
        ("[\"Bearer\"]", "a list"),
    ] {
        let body = format!(r#"{{"access_token":"tok1","token_type":{kind}}}"#);
        let error = Answer::new(200, body).error().await;
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{kind}");
        assert!(error.to_string().contains("token_type"), "{error}");
        assert!(error.to_string().contains(shown), "{error}");
    }
}

#[tokio::test]
async fn a_lifetime_is_read_in_every_form_that_servers_send() {
    for (json, seconds) in [
        ("3600", 3600.0),
        ("\"3600\"", 3600.0),
        ("\" 3600 \"", 3600.0),
        ("3599.5", 3599.5),
        ("\"3599.5\"", 3599.5),
        ("3.6e3", 3600.0),
        ("1", 1.0),
        ("2147483647", 2_147_483_647.0),
    ] {
        let response = token_with(&format!(r#","expires_in":{json}"#))
            .token()
            .await;
        let expected = Duration::from_secs_f64(seconds);
        assert_eq!(response.expires_in(), Some(expected), "{json}");
    }
}

#[tokio::test]
async fn a_lifetime_that_is_no_lifetime_is_unknown() {
    for json in [
        "0",
        "-1",
        "-0.0",
        "\"0\"",
        "\"-3600\"",
        "0.9",
        "1e-300",
        "1e400",
        "-1e400",
        "99999999999999999999",
        "9223372036854775807",
        "\"\"",
        "\" \"",
        "\"soon\"",
        "\"3600s\"",
        "\"NaN\"",
        "\"inf\"",
        "NaN",
        "Infinity",
        "false",
        "true",
        "[]",
        "[3600]",
        "{}",
        "0x10",
        "\"2030-01-01T00:00:00Z\"",
        "\"\\ud800\"",
    ] {
        let response = token_with(&format!(r#","expires_in":{json}"#))
            .token()
            .await;
        assert_eq!(response.expires_in(), None, "{json}");
    }
}

/// A server that says 0 was asked once a second.
#[tokio::test(start_paused = true)]
async fn a_lifetime_of_zero_is_the_default_lifetime_and_not_a_fetch_per_second() {
    let tokens = token_with(r#","expires_in":0"#).cache();
    for _ in 0..60 {
        tokens.token().await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(tokens.status().token_requests, 1);
}
