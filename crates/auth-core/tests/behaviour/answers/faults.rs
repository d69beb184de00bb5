//! A known error code is told wherever the text around it is at fault.

use auth_core::ErrorKind;

use super::Answer;

#[tokio::test]
async fn a_known_error_code_is_reported_whatever_precedes_it() {
    for body in [
        r#"{"error_description":"12" screen","error":"invalid_client"}"#,
        r#"{"error_description":"the "client" is, as "x", unknown","error":"invalid_client"}"#,
        r#"{'a':1,"error":"invalid_client"}"#,
        r#"{a:1,"error" : "invalid_client"}"#,
        r#"{"a":1,,"error":"invalid_client"}"#,
        "{\"a\":1}\n{\"error\":\"invalid_client\"}",
        "{/* comment */\"error\":\"invalid_client\"}",
        "{// comment\n\"error\":\"invalid_client\"}",
        r#"{"a":[1,2}},"error":"invalid_client"}"#,
        "\u{feff} {,\"error\":\"INVALID_client\"",
        r#"[1,{"error":"invalid_client"}]"#,
        r#"{"error":"bad","a":'"',"error":"invalid_client"}"#,
    ] {
        for status in [200, 400, 401, 404, 503] {
            let error = Answer::new(status, body).error().await;
            assert_eq!(
                error.error_code(),
                Some("invalid_client"),
                "{status}: {body}: {error}"
            );
            let is_denied = error.kind() == ErrorKind::Denied;
            assert_eq!(is_denied, status != 503, "{status}: {body}: {error}");
        }
    }
}

#[tokio::test]
async fn the_code_of_a_quoted_answer_or_of_a_page_is_not_that_of_the_answer() {
    for body in [
        r#"{"message":"upstream said {\"error\":\"invalid_client\"}"}"#,
        r#"<html><script>{"error":"invalid_client"}</script></html>"#,
        r#"{"errors":"x","message":"\"error\":\"invalid_client\""#,
        r#"<a href="/login?x=1&error=login_required&y=2">"#,
    ] {
        let error = Answer::new(404, body).error().await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{body}: {error}");
    }
}

#[tokio::test]
async fn a_form_that_begins_with_its_error_is_read_whatever_its_type() {
    let body = "\r\nerror=invalid_client&error_description=no+such+client\r\n";
    for kind in ["text/plain", "text/html; charset=utf-8", "application/json"] {
        for status in [200, 401, 404] {
            let answer = Answer::new(status, body).header("content-type", kind);
            let error = answer.error().await;
            assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
            assert_eq!(error.error_code(), Some("invalid_client"), "{error}");
            assert_eq!(error.error_description(), Some("no such client"));
        }
    }
}
