use super::*;

const ENDPOINT: &str = "https://as.example/token";
/// 2026-01-01 00:00:00 UTC.
const WALL: Duration = Duration::from_secs(1_767_225_600);

fn read(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<TokenResponse, Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    ReceivedResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers: &map,
        body: body.as_bytes(),
        role: Role::Token,
        endpoint: ENDPOINT,
        grant_type: "client_credentials",
        client_advice: "check the client id, the secret and the authentication method",
        request: &TokenRequest::builder().scope("a b").build().unwrap(),
        secrets: &["s3cr3t".into()],
        accepted_types: &["BearerToken".to_owned()],
        wall: WALL,
        echoes: OnceCell::new(),
    }
    .read()
    .map(|read| read.response)
}

fn ok(body: &str) -> TokenResponse {
    read(200, &[], body).unwrap()
}

fn failed(status: u16, body: &str) -> Error {
    read(status, &[], body).unwrap_err()
}

fn with_expires_in(json: &str) -> Result<Option<Duration>, Error> {
    let body = format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{json}}}"#);
    read(200, &[], &body).map(|response| response.expires_in())
}

#[test]
fn rfc6749_5_1_the_responses_of_the_first_providers() {
    let signicat = ok(
        r#"{"access_token":"eyJh.eyJz.hIOw","expires_in":600,"token_type":"Bearer","scope":"signicat-api"}"#,
    );
    assert_eq!(signicat.expires_in(), Some(Duration::from_secs(600)));
    assert_eq!(signicat.scopes(), Some(&"signicat-api".parse().unwrap()));
    let express =
        ok(r#"{"access_token":"xxxxx.yyyyy.zzzzz","expires_in":3600,"token_type":"Bearer"}"#);
    assert_eq!(
        express.scopes(),
        None,
        "a missing member differs from an empty one"
    );
}

#[test]
fn rfc6749_5_1_the_token_is_required_and_the_type_has_no_case() {
    assert!(
        failed(200, r#"{"token_type":"Bearer"}"#)
            .to_string()
            .contains("access_token")
    );
    ok(r#"{"access_token":"t"}"#);
    for kind in ["bearer", "BEARER", "Bearer", "bearertoken"] {
        ok(&format!(r#"{{"access_token":"t","token_type":"{kind}"}}"#));
    }
}

#[test]
fn rfc6749_7_1_an_unknown_token_type_is_an_error() {
    let error = failed(200, r#"{"access_token":"t","token_type":"mac"}"#);
    assert!(error.to_string().contains("\"mac\""), "{error}");
}

#[test]
fn rfc6749_5_1_unknown_members_and_4_4_3_a_refresh_token_are_ignored() {
    ok(r#"{"access_token":"t","token_type":"Bearer","refresh_token":"r","x":{"y":[1]}}"#);
}

#[test]
fn rfc6749_5_1_a_token_may_have_64_kib() {
    let token = "x".repeat(65_536);
    ok(&format!(
        r#"{{"access_token":"{token}","token_type":"Bearer"}}"#
    ));
}

#[test]
fn expires_in_as_servers_send_it() {
    let seconds = |s| Some(Duration::from_secs(s));
    assert_eq!(with_expires_in("600").unwrap(), seconds(600));
    assert_eq!(
        with_expires_in("1.5").unwrap(),
        Some(Duration::from_millis(1500))
    );
    assert_eq!(with_expires_in("\"3600\"").unwrap(), seconds(3600));
    assert_eq!(with_expires_in("null").unwrap(), None);
    assert_eq!(
        ok(r#"{"access_token":"t","token_type":"Bearer"}"#).expires_in(),
        None
    );
}

#[test]
fn an_invalid_expires_in_is_unknown() {
    for bad in [
        "0",
        "-7",
        "99999999999999999999",
        "false",
        "{}",
        "[]",
        "\"zzz\"",
        "\"\"",
        "\"NaN\"",
        "\"Infinity\"",
    ] {
        assert_eq!(with_expires_in(bad).unwrap(), None, "{bad}");
    }
}

#[test]
fn scope_may_be_a_list_and_null_is_treated_as_absent() {
    let body = |scope| format!(r#"{{"access_token":"t","token_type":"Bearer","scope":{scope}}}"#);
    assert_eq!(
        ok(&body(r#"["b","a"]"#)).scopes().cloned(),
        Some("a b".parse().unwrap())
    );
    assert_eq!(ok(&body("null")).scopes().cloned(), None);
    assert_eq!(
        ok(&body(r#""""#)).scopes().cloned(),
        Some(Scopes::default()),
        "an empty text grants no scope"
    );
    let odd = ok(&body(r#""a\tb é""#));
    let odd = odd.scopes().unwrap();
    assert!(
        odd.contains("b") && odd.contains("é"),
        "a malformed scope does not invalidate the token"
    );
    assert_eq!(ok(&body("7")).scopes(), None);
}

#[test]
fn rfc6749_5_2_codes_known_and_unknown() {
    for (status, code) in [
        (400, "invalid_request"),
        (401, "invalid_client"),
        (400, "invalid_grant"),
        (403, "unauthorized_client"),
        (400, "unsupported_grant_type"),
        (400, "some_new_code"),
    ] {
        let body = format!(
            r#"{{"error":"{code}","error_description":"d\u0007d","error_uri":"https://e/"}}"#
        );
        let error = failed(status, &body);
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(!error.is_transient());
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(error.error_code(), Some(code));
        assert_eq!(error.error_description(), Some("dd"));
        assert_eq!(error.error_uri(), Some("https://e/"));
    }
}

#[test]
fn the_text_of_a_denial_says_what_was_denied_why_and_what_to_do() {
    let denied = |code: &str| {
        let body = format!(r#"{{"error":"{code}","error_description":"reason"}}"#);
        failed(400, &body).to_string()
    };
    for (code, what, advice) in [
        (
            "invalid_client",
            "the client",
            "check the client id, the secret and the authentication method",
        ),
        (
            "invalid_scope",
            "the scopes \"a b\"",
            "request only scopes that the client may use",
        ),
        (
            "unauthorized_client",
            "the client credentials grant for the client",
            "permit this grant in the client's registration",
        ),
        (
            "unsupported_grant_type",
            "the client credentials grant",
            "check the URL of the token endpoint, and that the server supports this grant",
        ),
        (
            "invalid_target",
            "the resource or the audience",
            "request only those that the server knows (RFC 8707)",
        ),
        (
            "invalid_request",
            "the token request",
            "check its parameters, and the authentication method",
        ),
        (
            "some_new_code",
            "the token request",
            "check the client's registration and the parameters of the request",
        ),
    ] {
        let expected =
            format!("token endpoint {ENDPOINT} denied {what} (400 {code}: reason); {advice}");
        assert_eq!(denied(code), expected);
    }
}

#[test]
fn the_text_of_an_error_without_a_code_has_its_status() {
    for (status, text) in [
        (
            401,
            "denied the client (401, 6 bytes without a content type); check the client id, the secret and the authentication method",
        ),
        (
            404,
            "is not available at this path (404); the path is probably wrong: check the URL of the \
             token endpoint",
        ),
        (503, "is unavailable (503)"),
    ] {
        let expected = format!("token endpoint {ENDPOINT} {text}");
        assert_eq!(failed(status, "<html>").to_string(), expected);
    }
    let body = r#"{"error":"server_error","error_uri":"https://as.example/e/1"}"#;
    assert_eq!(
        failed(500, body).to_string(),
        format!(
            "token endpoint {ENDPOINT} is unavailable (500 server_error, see https://as.example/e/1)"
        )
    );
}

#[test]
fn empty_and_html_denials_are_denials() {
    for (status, body) in [
        (400, ""),
        (401, "<html>no</html>"),
        (403, "[]"),
        (403, "{}"),
    ] {
        let error = failed(status, body);
        assert_eq!(error.kind(), ErrorKind::Denied, "{status}");
        assert_eq!(error.error_code(), None);
        assert!(!error.to_string().contains("html"), "{error}");
    }
}

#[test]
fn an_overloaded_server_is_transient_and_its_retry_after_is_kept() {
    for status in [500, 502, 503, 429, 408] {
        let error = read(status, &[("retry-after", "7")], "<html>").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.is_transient());
        assert_eq!(error.server_retry_after(), Some(Duration::from_secs(7)));
    }
    let busy = failed(400, r#"{"error":"temporarily_unavailable"}"#);
    assert!(busy.is_transient());
}

#[test]
fn rfc9110_10_2_3_retry_after_as_a_date() {
    let date = "Thu, 01 Jan 2026 00:00:30 GMT";
    let error = read(503, &[("retry-after", date)], "").unwrap_err();
    assert_eq!(error.server_retry_after(), Some(Duration::from_secs(30)));
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    let error = read(503, &[("retry-after", past)], "").unwrap_err();
    assert_eq!(error.server_retry_after(), None);
    assert_eq!(
        read(503, &[("retry-after", "soon")], "")
            .unwrap_err()
            .server_retry_after(),
        None
    );
}

#[test]
fn an_unreadable_200_is_not_transient_and_its_body_is_described() {
    let html = read(200, &[("content-type", "text/html")], "<html>s3cr3t</html>").unwrap_err();
    assert_eq!(html.kind(), ErrorKind::InvalidResponse);
    assert!(!html.is_transient());
    assert!(html.to_string().contains("19 bytes of text/html"), "{html}");
    assert!(failed(200, "").to_string().contains("empty body"));
    assert!(failed(200, "[1]").to_string().contains("JSON object"));
    ok(r#"{"access_token":"t","token_type":"Bearer","error":""}"#);
    let list = failed(200, r#"{"access_token":[],"token_type":"Bearer"}"#);
    assert!(
        list.to_string()
            .contains("\"access_token\": expected a text, got a list")
    );
    assert_eq!(
        failed(200, r#"{"error":"invalid_client"}"#).error_code(),
        Some("invalid_client")
    );
}

#[test]
fn a_redirect_is_an_error() {
    let error = read(307, &[("location", "https://evil.example/")], "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirected);
    assert!(!error.is_transient());
}

#[test]
fn a_secret_that_the_server_echoes_is_redacted() {
    let body = r#"{"error":"invalid_client","error_description":"s3cr3t does not match"}"#;
    let error = failed(401, body);
    assert_eq!(error.error_description(), Some("[redacted] does not match"));
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}
