//! Keeps secrets out of errors and logs.

use crate::SecretString;

/// The maximum length of a kept text of a server, in characters.
const MAX_TEXT: usize = 256;

/// Makes a server's text fit for a log: removes control characters, replaces `secrets` that the
/// server echoed, and cuts it at 256 characters.
pub(crate) fn clean(text: &str, secrets: &[SecretString]) -> String {
    let mut text: String = text.chars().filter(|c| !c.is_control()).collect();
    for secret in secrets.iter().map(SecretString::expose) {
        if !secret.is_empty() && text.contains(secret) {
            text = text.replace(secret, "[redacted]");
        }
    }
    text.chars().take(MAX_TEXT).collect()
}

/// Returns the part of `url` that may be logged: neither query nor fragment, and nothing before an
/// `@`.
pub(crate) fn without_secrets(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (head, tail) = url.split_at(end);
    match head.rsplit_once('@') {
        Some((_credentials, rest)) => rest,
        // the `#` or `?` may be part of a password that ends at the `@`
        None if tail.contains('@') => head.split_inclusive("://").next().unwrap_or_default(),
        None => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_server_is_cleaned_cut_and_redacted() {
        assert_eq!(clean("a\r\nb\u{1b}[31mc", &[]), "ab[31mc");
        assert_eq!(clean(&"é".repeat(300), &[]).chars().count(), 256);
        let secrets = ["s3cr3t".into(), "s3c%20".into()];
        for echo in ["s3cr3t", "s3c\0r3t", "s3c%20"] {
            let text = clean(&format!("secret {echo} is wrong"), &secrets);
            assert_eq!(text, "secret [redacted] is wrong");
        }
    }

    #[test]
    fn a_url_in_a_log_shows_no_credentials_and_no_query() {
        for (url, shown) in [
            (
                "https://as.example/token?key=s3cr3t#s3cr3t",
                "https://as.example/token",
            ),
            ("https://id:s3cr3t@as.example/token", "as.example/token"),
            ("https://id:s3cr3t#x@as.example/", "https://"),
            ("https://id:s3cr3t?x@as.example/", "https://"),
            ("https://as.example/?to=a@b&key=s3cr3t", "https://"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }
}
