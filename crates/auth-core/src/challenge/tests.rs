use http::HeaderValue;

use super::*;
use ChallengeError::{
    InsufficientScope, InvalidRequest, InvalidToken, OtherScheme, Proof, Unspecified, UseNonce,
};

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        headers.append(WWW_AUTHENTICATE, line);
    }
    headers
}

fn bearer(lines: &[&str]) -> ChallengeError {
    ChallengeError::read("Bearer", &headers(lines))
}

fn dpop(lines: &[&str]) -> ChallengeError {
    ChallengeError::read("DPoP", &headers(lines))
}

#[test]
fn rfc6750_3_challenges_of_any_case_in_one_line_or_in_several() {
    let example = r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#;
    assert_eq!(bearer(&[example]), InvalidToken);
    for lines in [
        &[r#"Basic realm="x", bEARER Error = "invalid_token""#][..],
        &["BEARER ERROR=invalid_token, Negotiate YII=="],
        &["Negotiate YII==, Bearer error=invalid_token"],
        &[
            "Unheard-Of a=b",
            "bearer error=invalid_token",
            "Basic realm=x",
        ],
    ] {
        assert_eq!(bearer(lines), InvalidToken, "{lines:?}");
    }
    let quoted = r#"Basic realm="x, Bearer error=invalid_token""#;
    assert_eq!(bearer(&[quoted]), OtherScheme);
    assert_eq!(bearer(&["Bearer", quoted]), Unspecified);
}

#[test]
fn rfc6750_3_a_repeated_parameter_is_ignored() {
    for line in [
        "Bearer error=invalid_token, error=insufficient_scope",
        "Bearer error=invalid_token, ERROR=invalid_token",
    ] {
        assert_eq!(bearer(&[line]), Unspecified, "{line}");
    }
    let elsewhere = "Bearer realm=a, realm=b, error=invalid_token, Basic error=x";
    assert_eq!(bearer(&[elsewhere]), InvalidToken);
}

#[test]
fn rfc6750_3_1_the_error_codes() {
    for (code, expected) in [
        ("invalid_token", InvalidToken),
        ("insufficient_scope", InsufficientScope),
        ("invalid_request", InvalidRequest),
        ("INVALID_TOKEN", Unspecified),
        ("invalid_token ", Unspecified),
        ("unheard_of", Unspecified),
        ("", Unspecified),
    ] {
        let line = format!(r#"Bearer scope="a b", error="{code}""#);
        assert_eq!(bearer(&[&line]), expected, "{line}");
    }
    assert_eq!(bearer(&[r#"Bearer error="invalid\_token""#]), InvalidToken);
}

#[test]
fn a_rejection_without_a_challenge_or_without_a_code_is_unspecified() {
    assert_eq!(bearer(&[]), Unspecified);
    assert_eq!(bearer(&[""]), Unspecified);
    assert_eq!(bearer(&["Bearer"]), Unspecified);
    assert_eq!(bearer(&["Bearer realm=x", "Basic realm=x"]), Unspecified);
}

#[test]
fn of_several_challenges_the_most_specific_counts() {
    let ascending = [
        ("Basic error=invalid_token", OtherScheme),
        ("Bearer realm=x", Unspecified),
        ("Bearer error=invalid_request", InvalidRequest),
        ("Bearer error=insufficient_scope", InsufficientScope),
        ("Bearer error=invalid_token", InvalidToken),
    ];
    for (less, _) in ascending {
        for (more, expected) in ascending.iter().rev().take_while(|(more, _)| *more != less) {
            assert_eq!(bearer(&[less, more]), *expected);
            assert_eq!(bearer(&[&format!("{more}, {less}")]), *expected);
        }
    }
}

#[test]
fn rfc9449_7_1_a_dpop_token_is_rejected_by_dpop_challenges() {
    let line = r#"DPoP error="invalid_token", error_description="Invalid DPoP key binding", algs="ES256 PS256""#;
    assert_eq!(dpop(&[line]), InvalidToken);
    // such an API rejects every bearer token in the same way
    assert_eq!(bearer(&[line]), OtherScheme);
    let both = "Bearer error=invalid_token, dpop algs=ES256, error=insufficient_scope";
    assert_eq!(bearer(&[both]), InvalidToken);
    assert_eq!(dpop(&[both]), InsufficientScope);
}

#[test]
fn rfc9449_9_a_missing_nonce_does_not_reject_the_token() {
    let line = r#"DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof""#;
    assert_eq!(dpop(&[line]), UseNonce);
    assert_eq!(dpop(&["DPoP error=invalid_dpop_proof"]), Proof);
}

#[test]
fn a_grpc_status_is_a_number_with_any_leading_zeros_and_blanks() {
    let of = |status: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", HeaderValue::from_static(status));
        grpc_status(&headers)
    };
    assert_eq!(grpc_status(&HeaderMap::new()), None);
    for status in ["16", "016", " 16\t", "00000000000000000016"] {
        assert_eq!(of(status), Some(16), "{status:?}");
    }
    for (status, expected) in [("0", 0), ("00", 0), ("160", 160)] {
        assert_eq!(of(status), Some(expected), "{status:?}");
    }
    for status in ["", " ", "x", "+16", "-16", "1 6", "16;", "4294967312"] {
        assert_eq!(of(status), Some(grpc_code::UNKNOWN), "{status:?}");
    }
}

#[test]
fn grpc_is_recognized_by_the_content_type_in_any_case() {
    let of = |kind: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        is_grpc(&headers)
    };
    assert!(!is_grpc(&HeaderMap::new()));
    for kind in [
        "application/grpc",
        "Application/gRPC+proto",
        "application/GRPC-web",
    ] {
        assert!(of(kind), "{kind}");
    }
    for kind in [
        "application/json",
        "application/grp",
        "text/application/grpc",
        "",
    ] {
        assert!(!of(kind), "{kind}");
    }
}

#[test]
fn a_malformed_challenge_does_not_affect_the_others() {
    let example = "Bearer error=insufficient_scope, error_uri=https://api.example/errors";
    assert_eq!(bearer(&[example]), InsufficientScope);
    assert_eq!(
        bearer(&["Bearer @", "Bearer error=invalid_token"]),
        InvalidToken
    );
    assert_eq!(bearer(&["error=invalid_token"]), Unspecified);
}
