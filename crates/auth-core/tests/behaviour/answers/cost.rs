//! What a response may cost: time and memory grow with its size, and no faster.
//!
//! A search whose time grows with the square of the size would not end within hours.

use allocation_counter::measure;
use auth_core::{ClientCredentials, Error, ErrorKind, TokenRequest, TokenSource};
use futures_util::FutureExt;

use super::Answer;

/// The maximum size of a response that is read.
const MAX_RESPONSE: usize = 1 << 20;

/// Reads an answer that is ready at once, and counts the memory that this takes.
fn error_and_memory(answer: Answer) -> (Error, u64) {
    let grant: ClientCredentials = answer.grant();
    let mut error = None;
    let memory = measure(|| {
        let fetched = grant.fetch(&TokenRequest::default()).now_or_never();
        error = fetched.unwrap().err();
    });
    (error.unwrap(), memory.bytes_max)
}

/// A response of about 1 MiB that repeats `member`, and ends with an error.
fn repeating(member: &str) -> String {
    let end = format!(
        r#""error":"bad","error_description":"{}""#,
        "%25ab".repeat(230)
    );
    let count = (MAX_RESPONSE - end.len() - 2) / (member.len() + 1);
    let body = format!("{{{}{end}}}", format!("{member},").repeat(count));
    assert!(body.len() > MAX_RESPONSE / 2 && body.len() <= MAX_RESPONSE);
    body
}

#[test]
fn retry_after_of_a_weekday_and_commas() {
    for part in [",", " ,", "\t,", ",x,", "Sun,", "Sun,,"] {
        let line = format!("Sun,{}", part.repeat(400_000 / part.len()));
        let (error, _) = error_and_memory(Answer::new(503, "").header("retry-after", line));
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(error.server_retry_after(), None);
    }
}

#[test]
fn members_without_number() {
    let long = "%25".repeat(380);
    for member in [
        r#""code":"a""#.to_owned(),
        r#""":"#.to_owned(),
        r#""\u0061":"#.to_owned(),
        r#""error":["x"]"#.to_owned(),
        r#""error":{"code":"x"}"#.to_owned(),
        r#""error":"error":"#.to_owned(),
        r#""error":/*"#.to_owned(),
        "error".to_owned() + &" ".repeat(10_000),
        format!(r#""error":"{long}""#),
    ] {
        let (error, memory) = error_and_memory(Answer::new(400, repeating(&member)));
        assert_eq!(error.kind(), ErrorKind::Denied, "{member}: {error}");
        assert!(memory < 64 << 20, "{member}: {memory} bytes");
    }
}

/// Each token beside an error would be searched for in its texts.
#[test]
fn tokens_without_number_beside_an_error() {
    let random = |length: usize| {
        let mut state = 7_u32;
        let mut token = || {
            let octets = (0..length).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b'a' + (state >> 24) as u8 % 26)
            });
            format!(r#""access_token":"{}""#, octets.collect::<String>())
        };
        (0..8_000 / length).map(|_| token()).collect::<Vec<_>>()
    };
    for length in [1, 7, 12, 4096] {
        let tokens = random(length).join(",");
        for status in [200, 400] {
            let body = repeating(&tokens);
            let (error, memory) = error_and_memory(Answer::new(status, body));
            assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
            assert!(memory < 32 << 20, "{length}: {memory} bytes");
            assert_eq!(error.error_description(), Some("[redacted]"));
        }
    }
}
