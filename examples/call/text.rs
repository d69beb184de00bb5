//! Makes texts of servers safe to print.

use std::path::Path;

/// Returns the first `max` bytes in one line, without control characters.
pub(crate) fn line(bytes: &[u8], max: usize) -> String {
    match bytes.get(..max) {
        Some(head) if head.len() < bytes.len() => {
            // the last character may be incomplete
            format!(
                "{}…",
                clean(head).trim_end_matches(char::REPLACEMENT_CHARACTER)
            )
        }
        _ => clean(bytes),
    }
}

/// Removes control characters.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Replaces each occurrence of `secret` in `bytes` by `[redacted]`.
pub(crate) fn redact(bytes: &mut Vec<u8>, secret: &[u8]) {
    if secret.is_empty() {
        return;
    }
    let mut rest = &bytes[..];
    let mut redacted = Vec::with_capacity(rest.len());
    while let Some(at) = rest.windows(secret.len()).position(|part| part == secret) {
        redacted.extend_from_slice(&rest[..at]);
        redacted.extend_from_slice(b"[redacted]");
        rest = &rest[at + secret.len()..];
    }
    redacted.extend_from_slice(rest);
    *bytes = redacted;
}

/// Returns a path for errors. What looks like the content of a file, which may be a secret, is not shown.
pub(crate) fn shown_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_content =
        text.contains(['\n', '{']) || text.contains("-----BEGIN") || text.starts_with("eyJ");
    match is_content || text.len() > 255 {
        true => "[not shown: expected a path, got what looks like the content of a file]".into(),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(line("a\nb\u{1b}[31m".as_bytes(), 100), "ab[31m");
        assert_eq!(line("ééé".as_bytes(), 6), "ééé");
        assert_eq!(line("ééé".as_bytes(), 5), "éé…");
    }

    #[test]
    fn each_occurrence_of_a_secret_is_redacted() {
        for (text, secret, expected) in [
            ("abc", "abc", "[redacted]"),
            ("-abc-abcabc.", "abc", "-[redacted]-[redacted][redacted]."),
            ("ab", "abc", "ab"),
            ("ab", "", "ab"),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            redact(&mut bytes, secret.as_bytes());
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        }
    }
}
