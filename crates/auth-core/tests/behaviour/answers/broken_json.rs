//! A known error code is told however the JSON around it is broken.

use auth_core::ErrorKind;

use super::{Answer, token_with};

/// Checks that each text is read as a denial of the client, whatever the status of a denial.
async fn assert_invalid_client(text: impl Into<Vec<u8>>) {
    let text = text.into();
    let shown = String::from_utf8_lossy(&text).into_owned();
    for status in [200, 400, 401, 404] {
        let error = Answer::new(status, text.clone()).error().await;
        let code = error.error_code();
        assert_eq!(code, Some("invalid_client"), "{status}: {shown}: {error}");
        assert_eq!(error.kind(), ErrorKind::Denied, "{status}: {shown}");
    }
    let error = Answer::new(503, text).error().await;
    assert_eq!(error.error_code(), Some("invalid_client"), "503: {shown}");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "503: {shown}");
}

#[tokio::test]
async fn broken_separators_between_members() {
    for separator in [
        ";", " ", "\n", "", ", ,", ",;", "|", ". ", ":", "}", "]", "&", "},{",
    ] {
        for value in ["1", "\"x\"", "null", "{}", "[1]", "{\"b\":[]}", "NaN"] {
            assert_invalid_client(format!(
                r#"{{"a":{value}{separator}"error":"invalid_client"}}"#
            ))
            .await;
            assert_invalid_client(format!(
                r#"{{"error":"invalid_client"{separator}"a":{value}}}"#
            ))
            .await;
        }
    }
}

#[tokio::test]
async fn broken_separators_between_name_and_value() {
    for separator in [
        "=",
        "=>",
        " = ",
        "::",
        ": :",
        ":=",
        ": /* why */ ",
        " // why\n : ",
    ] {
        assert_invalid_client(format!(r#"{{"a":1,"error"{separator}"invalid_client"}}"#)).await;
    }
}

#[tokio::test]
async fn broken_quotes() {
    for text in [
        r"{'error':'invalid_client'}",
        r"{'error': 'invalid_client', 'error_description': 'it is \'unknown\''}",
        r#"{'a':'12" screen','error':'invalid_client'}"#,
        r"{error:'invalid_client'}",
        r#"{ error : "invalid_client" }"#,
        r#"{a:1, error: "invalid_client"}"#,
        r"{error:invalid_client}",
        r"{`error`:`invalid_client`}",
        "{\u{201c}error\u{201d}: \u{201c}invalid_client\u{201d}}",
        "{\u{ab}error\u{bb}:\u{ab}invalid_client\u{bb}}",
        "{\"error\":\u{a0}\"invalid_client\"}",
        "{\"error\"\u{b}:\u{c}\"invalid_client\"}",
        "{\"error\":\"\u{200b}invalid_client\u{feff}\", \"a\":1;}",
        r#"{"error":invalid_client}"#,
        r#"{"error":invalid_client,"a":1}"#,
        r#"{"error":'invalid_client'}"#,
        r#"{"error:"invalid_client"}"#,
        r#"{error":"invalid_client"}"#,
        r#"{"a":"b,"error":"invalid_client","c":"d"}"#,
        r#"{"a":"b;"error":"invalid_client"}"#,
        r#"{"a":b","error":"invalid_client"}"#,
        r#"{"error":"invalid_client,"a":1}"#,
        r#"{"error":""invalid_client""}"#,
    ] {
        assert_invalid_client(text).await;
    }
}

#[tokio::test]
async fn comments() {
    for text in [
        r#"{"error":/* a */"invalid_client"}"#,
        r#"{"error"/* a */:"invalid_client"}"#,
        r#"{"error":"invalid_client"/* a */}"#,
        "{\"error\":\"invalid_client\" // a\n}",
        "{\"error\": # a\n \"invalid_client\"}",
        "/* a */ {\"error\":\"invalid_client\"}",
        "// a\n{\"error\":\"invalid_client\"}",
        "# a\n{\"error\":\"invalid_client\"}",
        r#"{/* a */error:"invalid_client"}"#,
        r#"{"a":1/*,*/"error":"invalid_client"}"#,
    ] {
        assert_invalid_client(text).await;
    }
}

#[tokio::test]
async fn broken_ends() {
    for text in [
        r#"{"error":"invalid_client"#,
        r#"{"error":"invalid_client""#,
        r#"{"error":"invalid_client","#,
        r#"{"error":"invalid_client","error_desc"#,
        r#"{"error":"invalid_client","error_description":"cut \"#,
        r#"{"error":"invalid_client","error_description":"cut \u00"#,
        r#"{"a":{"b":1},"error":"invalid_client"#,
        r#"{"error":"invalid_client"}}"#,
        r#"{"error":"invalid_client"}{"error":"x"}"#,
        "{\"error\":\"invalid_client\"}\0\0",
        "{\"error\":\"invalid_client\"}\r\n0\r\n\r\n",
        "{\"error\":\"invalid_client\"}<!-- cached -->",
        "{\"error\":\"invalid_client\"});",
    ] {
        assert_invalid_client(text).await;
    }
}

#[tokio::test]
async fn broken_starts() {
    for start in [
        "\u{feff}\u{feff}",
        "\u{feff} \u{feff}\r\n\u{feff}",
        ")]}',\n",
        "while(1);",
        "callback(",
        "18\r\n",
        "data: ",
        "Warning: something in line 7\n",
        ",",
        "\0",
        "\u{b}\u{c}\u{a0}",
    ] {
        assert_invalid_client(format!(r#"{start}{{"error":"invalid_client"}}"#)).await;
    }
}

#[tokio::test]
async fn utf_16_and_utf_32() {
    let text = "{\"error_description\":\"unbekannt: \u{e4}\u{2019}\u{4e00}\", \"error\" : \"invalid_client\"}";
    for mark in ["", "\u{feff}"] {
        let text = format!("{mark}{text}");
        let units = || text.encode_utf16();
        assert_invalid_client(units().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).await;
        assert_invalid_client(units().flat_map(u16::to_be_bytes).collect::<Vec<_>>()).await;
        let characters = || text.chars().map(u32::from);
        assert_invalid_client(characters().flat_map(u32::to_le_bytes).collect::<Vec<_>>()).await;
        assert_invalid_client(characters().flat_map(u32::to_be_bytes).collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn a_byte_order_mark_at_every_start_leaves_the_token_readable() {
    let body = token_with("").body;
    let body = [&b"\xef\xbb\xbf\xef\xbb\xbf \xef\xbb\xbf"[..], &body].concat();
    assert_eq!(Answer::new(200, body).token().await.access_token(), "tok1");
}

#[tokio::test]
async fn faults_within_an_object_or_beside_another_name_of_the_code() {
    for text in [
        r#"{"a":1;"errorCode":"invalid_client"}"#,
        r#"{"a":1;"error_code":"invalid_client"}"#,
        r#"{"a":1 "code":"invalid_client"}"#,
        r#"{"error":{"code":"invalid_client";"message":"m"}}"#,
        r#"{"error":{"message":"m" "code":"invalid_client"}}"#,
        r#"{"error":{'type':'invalid_client'}}"#,
        r#"{"a":1;"error":["invalid_client"]}"#,
        r#"{"a":1;"error":"INVALID_CLIENT "}"#,
        r#"[{"a":1;"error":"invalid_client"}]"#,
    ] {
        assert_invalid_client(text).await;
    }
}

#[tokio::test]
async fn a_token_that_is_broken_by_the_fault_does_not_hide_the_code() {
    for text in [
        r#"{"access_token":"";"error":"invalid_client"}"#,
        r#"{"access_token":null;"error":"invalid_client"}"#,
        r#"{"access_token":"tok1" "error":"invalid_client"}"#,
        r#"{"access_token":"tok1","token_type":"Bearer","a":1;"error":"invalid_client"}"#,
    ] {
        assert_invalid_client(text).await;
    }
}

/// A page may contain anything, and a text within a text is another answer.
#[tokio::test]
async fn a_code_in_a_page_in_a_text_or_of_another_member_is_none_of_the_answer() {
    for text in [
        r#"<p>"error": "invalid_client"</p>"#,
        " \n<!DOCTYPE html><script>var a = {error:'invalid_client'}</script>",
        r#"{"a":1;"message":"\"error\":\"invalid_client\""}"#,
        r#"{"a":1;"message":"Got error: invalid_client"}"#,
        r#"{"message":"upstream: {'error':'invalid_client'}"}"#,
        r#"{"a":1;"error":"invalid_client is not what I say"}"#,
        r#"{"a":1;"error":"an invalid_client"}"#,
        r#"{"a":1;"error":"invalid_clients"}"#,
        r#"{"a":1;"error_uri":"invalid_client"}"#,
        r#"{"a":1;"my_error":"invalid_client"}"#,
        r#"{"a":1;"x":"error","invalid_client":1}"#,
        r#"{"a":1;"error":"b","invalid_client":1}"#,
        "error, invalid_client",
        "invalid_client",
    ] {
        let error = Answer::new(404, text).error().await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{text}: {error}");
    }
}

#[tokio::test]
async fn a_broken_separator_beside_a_token_leaves_it_readable() {
    for value in [
        "1;\"b\":2",
        "\"x\" \"b\":2",
        "{} \"error\":false",
        "'it''s'",
    ] {
        let response = token_with(&format!(r#","a":{value}"#)).token().await;
        assert_eq!(response.access_token(), "tok1", "{value}");
    }
}
