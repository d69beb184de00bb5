//! Only a denial backs off like one.

use auth_core::ErrorKind;

use super::{Answer, DENIAL, OUTAGE};

const CODES: [&str; 7] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
];

async fn assert_denial(answer: Answer) {
    let shown = format!("{answer:?}");
    let error = answer.clone().error().await;
    assert_eq!(error.kind(), ErrorKind::Denied, "{shown}");
    assert!(!error.is_transient(), "{shown}");
    assert!(DENIAL.contains(&answer.backoff().await), "{shown}");
}

async fn assert_outage(answer: Answer) {
    let shown = format!("{answer:?}");
    let error = answer.clone().error().await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{shown}");
    assert!(error.is_transient(), "{shown}");
    assert_eq!(error.status().unwrap(), answer.status, "{shown}");
    assert!(OUTAGE.contains(&answer.backoff().await), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_400_401_or_403_is_a_denial_with_or_without_a_code() {
    for status in [400, 401, 403] {
        for body in ["", "{}", "<html>no</html>", "[]", r#"{"message":"no"}"#] {
            assert_denial(Answer::new(status, body)).await;
        }
        let body = r#"{"error":"some_code"}"#;
        assert_denial(Answer::new(status, body)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_4xx_without_an_oauth_error_code_is_an_outage() {
    for status in (400..=499).filter(|status| ![400, 401, 403].contains(status)) {
        for body in ["", "<html>not found</html>", "{}"] {
            assert_outage(Answer::new(status, body)).await;
        }
    }
    for body in [
        r#"{"timestamp":1,"status":404,"error":"Not Found","path":"/token"}"#,
        r#"{"message":"no Route matched with those values"}"#,
        r#"{"error":{"code":404,"message":"no","status":"NOT_FOUND"}}"#,
        r#"{"error":"not_found"}"#,
        r#"{"error":true}"#,
    ] {
        assert_outage(Answer::new(404, body)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_4xx_with_an_oauth_error_code_is_a_denial() {
    for status in [402, 404, 405, 408, 409, 410, 415, 421, 422, 425, 451, 499] {
        for code in CODES {
            assert_denial(Answer::new(status, format!(r#"{{"error":"{code}"}}"#))).await;
        }
    }
    assert_denial(Answer::new(404, r#"{"errorCode":"invalid_client"}"#)).await;
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_server_is_an_outage_whatever_its_code() {
    for status in [429, 500, 502, 503, 504, 599, 600, 999] {
        for body in ["", r#"{"error":"invalid_client"}"#] {
            assert_outage(Answer::new(status, body)).await;
        }
    }
    for status in [400, 401, 403, 404] {
        for code in ["temporarily_unavailable", "server_error"] {
            assert_outage(Answer::new(status, format!(r#"{{"error":"{code}"}}"#))).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_with_an_error_is_read_as_its_error() {
    for code in CODES {
        assert_denial(Answer::new(200, format!(r#"{{"error":"{code}"}}"#))).await;
    }
    for code in ["temporarily_unavailable", "server_error"] {
        assert_outage(Answer::new(200, format!(r#"{{"error":"{code}"}}"#))).await;
    }
}

#[tokio::test]
async fn a_404_or_405_says_that_the_path_is_probably_wrong() {
    for status in [404, 405] {
        let text = Answer::new(status, "").error().await.to_string();
        assert!(text.contains("https://as.example/oauth/token"), "{text}");
        assert!(text.contains(&status.to_string()), "{text}");
        assert!(text.contains("path"), "{text}");
        assert!(text.contains("probably wrong"), "{text}");
    }
}

#[tokio::test]
async fn a_redirect_names_its_target_without_query_and_secret() {
    for (location, target) in [
        ("/token/", "https://as.example/token/"),
        (
            "https://as.example.com/token",
            "https://as.example.com/token",
        ),
        (
            "HTTPS://AS.example.com/token?a=s3cr3t#f",
            "HTTPS://AS.example.com/token",
        ),
        ("//other.example/token", "https://other.example/token"),
        ("v2", "https://as.example/oauth/v2"),
        ("../v2/token?x=1", "https://as.example/v2/token"),
        ("./token/", "https://as.example/oauth/token/"),
        ("?x=1", "https://as.example/oauth/token"),
        (
            "https://u:p@evil.example/s3cr3t/x",
            "evil.example/[redacted]/x",
        ),
        ("/a\u{e9}b", "https://as.example/a"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let answer = Answer::new(status, "").header("location", location);
            let error = answer.error().await;
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Redirected);
            assert!(text.contains(&format!("to {target}")), "{location}: {text}");
            assert!(text.contains("set it as the token endpoint"), "{text}");
            assert!(!text.contains('?') && !text.contains("s3cr3t"), "{text}");
            assert!(!text.contains("u:p"), "{text}");
        }
    }
    let error = Answer::new(304, "").error().await;
    assert_eq!(error.kind(), ErrorKind::Redirected);
    assert!(error.to_string().contains("without a target"), "{error}");
}

#[tokio::test]
async fn a_metadata_document_is_named_with_its_token_endpoint() {
    let body =
        r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t?x=s3cr3t"}"#;
    let error = Answer::new(200, body).error().await;
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    let text = error.to_string();
    assert!(text.contains("metadata"), "{text}");
    assert!(text.contains("https://as.example/t"), "{text}");
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn an_unasked_content_coding_is_named() {
    let page = &b"\x1f\x8b\x08\x00\x00"[..];
    for (lines, named) in [
        (&["gzip"][..], Some("gzip")),
        (&["GZIP"], Some("GZIP")),
        (&["identity, br"], Some("br")),
        (&["deflate", "gzip"], Some("deflate, gzip")),
        (&["identity"], None),
        (&[""], None),
    ] {
        for status in [200, 401, 404, 503] {
            let mut answer = Answer::new(status, page);
            for line in lines {
                answer = answer.header("content-encoding", *line);
            }
            let text = answer.error().await.to_string();
            match named {
                Some(coding) => {
                    let coding = format!("content coding \"{coding}\"");
                    assert!(text.contains(&coding), "{status}: {text}");
                }
                None => assert!(!text.contains("content coding"), "{text}"),
            }
        }
    }
    let mislabelled = super::token_with("").header("content-encoding", "utf-8");
    assert_eq!(mislabelled.token().await.access_token(), "tok1");
}
