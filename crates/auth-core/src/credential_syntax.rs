//! The characters of a client's id and secret.

use crate::{Error, visible_text::is_invisible};

/// Checks a client's id or secret. `place` begins the error's text, and names where the credential
/// was given or read. The text names the first fault and its position, and never the credential.
///
/// RFC 6749 A.1 and A.2 permit the visible characters of ASCII and the space. Servers also issue
/// credentials with other visible characters, which the encoding of appendix B carries. A space at
/// an end, and a control, a blank or an invisible character anywhere, come from copying, from an
/// editor or from a template.
pub(crate) fn check_credential(place: &str, credential: &str) -> Result<(), Error> {
    let Some((index, fault)) = fault(credential) else {
        return Ok(());
    };
    Err(Error::configuration(format!(
        "{place}: expected visible characters, got {fault} as character {} (counted from 1); \
         remove it",
        index + 1
    )))
}

/// Returns the index of the first character that no credential has, in characters, and what it is.
fn fault(credential: &str) -> Option<(usize, String)> {
    // a blank at the end begins where only blanks follow
    let end = credential.trim_end().chars().count();
    credential.chars().enumerate().find_map(|(index, c)| {
        let what = match c {
            '\u{FEFF}' => "a byte order mark",
            '\n' | '\r' => "a line break",
            c if c.is_control() => "a control character",
            c if is_invisible(c) => "an invisible character",
            '\u{FFFD}' => "a replacement character, which stands for octets of another encoding",
            c if c.is_whitespace() && index == 0 => "a blank at the beginning",
            c if c.is_whitespace() && index >= end => "a blank at the end",
            c if c.is_whitespace() && c != ' ' => "a blank other than the space",
            _ => return None,
        };
        Some((index, format!("{what} (U+{:04X})", u32::from(c))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_told_with_its_position() {
        for (text, told) in [
            ("\u{feff}a", "a byte order mark (U+FEFF) as character 1 "),
            (
                "é\u{200b}\0",
                "an invisible character (U+200B) as character 2 ",
            ),
            ("a  \t", "a blank at the end (U+0020) as character 2 "),
            (
                "a b\u{a0}c",
                "a blank other than the space (U+00A0) as character 4 ",
            ),
            ("a\n", "a line break (U+000A) as character 2 "),
        ] {
            let error = check_credential("place", text).unwrap_err().to_string();
            assert!(
                error.starts_with("place: ") && error.contains(told),
                "{error}"
            );
        }
        assert!(check_credential("place", "a b é").is_ok());
    }
}
