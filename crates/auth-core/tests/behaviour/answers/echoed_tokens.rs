//! The tokens of a response are not shown in its error, wherever the server repeats them.

use super::Answer;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjbGllbnQifQ.c2lnbmF0dXJl";

#[tokio::test]
async fn a_token_is_struck_out_wherever_it_is_repeated() {
    let plain = |status, body: String| Answer::new(status, body);
    let all = [
        plain(
            200,
            format!(r#"{{"access_token":"{TOKEN}","token_type":"{TOKEN}"}}"#),
        ),
        plain(
            200,
            format!(r#"{{"access_token":"{TOKEN}","token_type":"x {TOKEN}"}}"#),
        ),
        plain(
            200,
            format!(r#"{{"id_token":"{TOKEN}","token_endpoint":"https://as/{TOKEN}"}}"#),
        ),
        plain(
            401,
            format!(r#"{{"accessToken":"{TOKEN}","error":"{TOKEN}","message":"{TOKEN}"}}"#),
        ),
        plain(302, format!(r#"{{"access_token":"{TOKEN}"}}"#))
            .header("location", format!("https://as.example/{TOKEN}")),
        plain(200, format!(r#"{{"access_token":"{TOKEN}""#))
            .header("content-type", format!("application/{TOKEN}")),
        plain(200, format!(r#"{{"access_token":"{TOKEN}""#))
            .header("content-encoding", format!("gzip, {TOKEN}")),
    ];
    for answer in all {
        let error = answer.clone().error().await;
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(&TOKEN[..24]), "{shown}");
        assert!(!shown.contains(&TOKEN[24..48]), "{shown}");
        assert!(shown.contains("[redacted]"), "{answer:?}: {shown}");
    }
}
