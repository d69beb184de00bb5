//! Several field lines mean what their combination means (RFC 9110 §5.3).

use http::HeaderValue;

use super::*;
use ChallengeError::{InsufficientScope, InvalidToken, OtherScheme, Unspecified};

fn bearer(lines: &[&str]) -> ChallengeError {
    let mut headers = HeaderMap::new();
    for line in lines {
        let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        headers.append(WWW_AUTHENTICATE, line);
    }
    ChallengeError::read("Bearer", &headers)
}

/// Both halves of a list, with and without commas at the place where it is split.
fn assert_split(first: &str, second: &str, expected: ChallengeError) {
    assert_eq!(bearer(&[&format!("{first}, {second}")]), expected);
    for end in ["", ",", " ,", ", ", ",,", ", ,\t"] {
        for begin in ["", ",", ", ", " , ,"] {
            let lines = [&format!("{first}{end}"), &format!("{begin}{second}")];
            let lines = lines.map(String::as_str);
            assert_eq!(bearer(&lines), expected, "{lines:?}");
            let [first, second] = lines;
            assert_eq!(bearer(&[first, "", second]), expected, "{lines:?}");
            assert_eq!(bearer(&[first, ",", second]), expected, "{lines:?}");
        }
    }
}

#[test]
fn a_line_may_begin_with_a_parameter_of_the_challenge_before() {
    for (first, second, expected) in [
        ("Bearer", r#"error="invalid_token""#, InvalidToken),
        (r#"Bearer realm="a""#, "error=invalid_token", InvalidToken),
        (r#"Basic realm="a""#, "error=invalid_token", OtherScheme),
        (
            r#"Basic realm="a", Bearer scope="x y""#,
            r#"error="insufficient_scope", Negotiate YII=="#,
            InsufficientScope,
        ),
        (
            "Negotiate YII==",
            "Bearer error=invalid_token",
            InvalidToken,
        ),
        ("Bearer error=invalid_token", "Basic realm=a", InvalidToken),
        ("Bearer error=invalid_token", "Basic, realm=a", InvalidToken),
    ] {
        assert_split(first, second, expected);
    }
}

/// RFC 9110 §11.2: a parameter occurs once in a challenge.
#[test]
fn a_parameter_that_two_lines_repeat_is_ignored() {
    assert_split(
        "Bearer error=invalid_token",
        "error=invalid_token",
        Unspecified,
    );
    assert_split(
        "Bearer error=invalid_token",
        "realm=a, ERROR=insufficient_scope",
        Unspecified,
    );
    assert_split("Bearer error=invalid_token", "Bearer error=x", InvalidToken);
}

#[test]
fn every_element_may_stand_in_a_line_of_its_own() {
    let elements = [
        "Basic realm=x",
        "charset=\"UTF-8\"",
        "Bearer",
        "realm=\"a, b\"",
        "error=\"invalid_token\"",
        "error_description=\"expired\"",
        "Negotiate",
    ];
    assert_eq!(bearer(&elements), InvalidToken);
}

/// A quoted string cannot span lines: a sender splits a list between its elements.
#[test]
fn a_quoted_string_ends_with_its_line() {
    let lines = [r#"Basic realm="a"#, r#"Bearer error="invalid_token""#];
    assert_eq!(bearer(&lines), InvalidToken);
    let lines = [r#"Bearer error="invalid"#, r#"_token""#];
    assert_eq!(bearer(&lines), Unspecified);
}

/// It would be a guess to which challenge the parameter belongs.
#[test]
fn a_malformed_line_ends_its_last_challenge() {
    for malformed in [
        "Bearer @",
        "Bearer realm=\"a",
        "Bearer a=b c=d",
        "Bearer a=b, x=",
        "@",
    ] {
        let lines = [malformed, "error=invalid_token"];
        assert_ne!(bearer(&lines), InvalidToken, "{malformed}");
        let lines = [malformed, "Bearer", "error=invalid_token"];
        assert_eq!(bearer(&lines), InvalidToken, "{malformed}");
    }
    let lines = ["Bearer error=invalid_token, x=", "error=invalid_token"];
    assert_eq!(bearer(&lines), InvalidToken, "as the first line alone");
}
