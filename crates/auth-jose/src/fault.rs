//! The texts of errors.

use auth_core::Error;

/// The maximum length of a name from outside that an error shows.
const MAX_NAME: usize = 10;

/// Returns the error that `what`, such as "signing key", is invalid because of `fault`.
pub(crate) fn invalid(what: &str, fault: impl AsRef<str>) -> Error {
    Error::configuration(format!("{what}: {}", fault.as_ref()))
}

/// Returns a name from outside as an error shows it, in quotes. A text that is no short name may be a part
/// of a key, and is not shown.
pub(crate) fn shown(name: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_+.".contains(c);
    if name.is_empty() {
        "an empty text".into()
    } else if name.len() <= MAX_NAME && name.chars().all(is_name) {
        format!("{name:?}")
    } else {
        "another text, which is not shown".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_names_are_shown() {
        assert_eq!(shown("RS512"), "\"RS512\"");
        assert_eq!(shown(""), "an empty text");
        for text in ["a b", "a\n", "\u{202e}", &"a".repeat(11), "a\"b"] {
            assert_eq!(shown(text), "another text, which is not shown");
        }
    }
}
