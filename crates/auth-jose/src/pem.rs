//! Reads PEM (RFC 7468). A library's reader would leave copies of a key in memory that is not wiped, and skip
//! the blocks that it does not know, which an error has to name.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// One block of a PEM text.
pub(crate) struct Block<'a> {
    /// What the first line says, such as `PRIVATE KEY`.
    pub(crate) label: &'a str,
    body: &'a str,
}

/// Returns the blocks of a text. What is between them is a comment.
///
/// # Errors
/// A text that completes "got …", if a block has no end, or if there is none.
pub(crate) fn blocks(text: &str) -> Result<Vec<Block<'_>>, &'static str> {
    let (mut blocks, mut rest) = (Vec::new(), text);
    while let Some((_comment, begun)) = rest.split_once(BEGIN) {
        let (label, after) = begun
            .split_once(DASHES)
            .ok_or("PEM whose first line is cut")?;
        let (body, ended) = after
            .split_once(END)
            .ok_or("PEM without its END line; the text is cut")?;
        rest = ended
            .strip_prefix(label)
            .and_then(|rest| rest.strip_prefix(DASHES))
            .ok_or("PEM whose BEGIN and END lines differ")?;
        blocks.push(Block { label, body });
    }
    if blocks.is_empty() {
        return Err(what_it_is_instead(text));
    }
    Ok(blocks)
}

fn what_it_is_instead(text: &str) -> &'static str {
    let text = text.trim_start();
    if text.is_empty() {
        "an empty text"
    } else if text.starts_with('{') {
        "JSON; read a JWK by from_jwk"
    } else {
        "a text without a BEGIN line"
    }
}

impl Block<'_> {
    /// Returns whether headers say that the block is encrypted (RFC 1421 §4.6.1.1).
    pub(crate) fn is_encrypted(&self) -> bool {
        self.body.contains("Proc-Type:") && self.body.contains("ENCRYPTED")
    }

    /// Returns the octets of the block.
    ///
    /// # Errors
    /// A text that completes "got …", if the body is not base64.
    pub(crate) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        if self.body.contains("\\n") {
            return Err(
                "PEM with the two characters \\n in the place of line breaks; replace them",
            );
        }
        // as long as the body, so that growing leaves no copy behind
        let mut base64 = Zeroizing::new(String::with_capacity(self.body.len()));
        base64.extend(self.body.split_ascii_whitespace());
        let octets = STANDARD.decode(base64.as_bytes());
        // the error would show a character of what may be a key
        octets
            .map(Zeroizing::new)
            .map_err(|_| "PEM whose body is not base64")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<&str> {
        let blocks = blocks(text).unwrap();
        blocks.iter().map(|block| block.label).collect()
    }

    #[test]
    fn blocks_are_found_between_comments_and_line_breaks_of_each_kind() {
        let text = "Bag Attributes\n-----BEGIN A B-----\r\nAQ\r\nID\r\n-----END A B-----\r\nand \
                    -----BEGIN C----- BAUG -----END C-----";
        assert_eq!(labels(text), ["A B", "C"]);
        let octets: Vec<_> = blocks(text).unwrap().iter().map(Block::decode).collect();
        assert_eq!(**octets[0].as_ref().unwrap(), [1, 2, 3]);
        assert_eq!(**octets[1].as_ref().unwrap(), [4, 5, 6]);
    }

    #[test]
    fn a_text_that_is_no_pem_is_told_apart() {
        for (text, told) in [
            ("", "an empty text"),
            (" \n", "an empty text"),
            ("{\"kty\":\"EC\"}", "JSON; read a JWK by from_jwk"),
            ("AQID", "a text without a BEGIN line"),
            ("-----BEGIN A", "PEM whose first line is cut"),
            (
                "-----BEGIN A-----\nAQID",
                "PEM without its END line; the text is cut",
            ),
            (
                "-----BEGIN A-----\nAQID\n-----END B-----",
                "PEM whose BEGIN and END lines differ",
            ),
        ] {
            assert_eq!(blocks(text).err(), Some(told), "{text:?}");
        }
        for (text, told) in [
            (
                "-----BEGIN A-----\nAQI\n-----END A-----",
                "PEM whose body is not base64",
            ),
            (
                "-----BEGIN A-----\\nAQID\\n-----END A-----",
                "PEM with the two characters \\n in the place of line breaks; replace them",
            ),
        ] {
            let blocks = blocks(text).unwrap();
            assert_eq!(blocks[0].decode().err(), Some(told), "{text:?}");
        }
    }
}
