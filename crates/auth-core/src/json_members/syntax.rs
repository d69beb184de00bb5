//! Whether a text is JSON (RFC 8259), for a text that is passed on as a whole.

/// The maximum depth of nested objects and lists. The check recurses.
const MAX_DEPTH: usize = 64;

/// Returns whether `text` is one JSON value of at most 64 levels, and nothing else.
pub(crate) fn is_json(text: &str) -> bool {
    let mut reader = Reader {
        rest: text.as_bytes(),
    };
    reader.value(MAX_DEPTH).is_some() && {
        reader.skip_blanks();
        reader.rest.is_empty()
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn take(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Takes a value with the blanks before it.
    fn value(&mut self, depth: usize) -> Option<()> {
        self.skip_blanks();
        match self.rest.first()? {
            b'{' => self.sequence(b"}", |reader| {
                reader.skip_blanks();
                reader.string()?;
                reader.skip_blanks();
                reader.take(b":")?;
                reader.value(depth.checked_sub(1)?)
            }),
            b'[' => self.sequence(b"]", |reader| reader.value(depth.checked_sub(1)?)),
            b'"' => self.string(),
            b't' => self.take(b"true"),
            b'f' => self.take(b"false"),
            b'n' => self.take(b"null"),
            _ => self.number(),
        }
    }

    /// Takes elements between commas, from the opening bracket to the closing one.
    fn sequence(
        &mut self,
        end: &[u8],
        mut element: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.rest = &self.rest[1..];
        self.skip_blanks();
        if self.take(end).is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            self.skip_blanks();
            if self.take(b",").is_none() {
                return self.take(end);
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.take(b"\"")?;
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            match first {
                b'"' => return Some(()),
                b'\\' => {
                    let (escape, rest) = self.rest.split_first()?;
                    self.rest = rest;
                    match escape {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                        b'u' => {
                            let (digits, rest) = self.rest.split_at_checked(4)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return None;
                            }
                            self.rest = rest;
                        }
                        _ => return None,
                    }
                }
                0..b' ' => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b"-");
        if self.take(b"0").is_none() {
            self.digits()?;
        }
        if self.take(b".").is_some() {
            self.digits()?;
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest;
            if let [b'+' | b'-', rest @ ..] = self.rest {
                self.rest = rest;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|octet| octet.is_ascii_digit());
        let count = count.count();
        self.rest = &self.rest[count..];
        (count > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_value_and_nothing_else_is_json() {
        for good in [
            "{}",
            " [ ] ",
            "\"\"",
            r#"{"a":[1,-0.5e+3,true,false,null,"\u00e9\\\"/"],"b":{"c":{}}}"#,
            "0",
            "\n{\t\"é\" : 10.0 }\r",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "{",
            "{}{}",
            "{},{}",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{'a':1}",
            "[}",
            "{\"a\":[}}",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "truex",
            "\"\\x\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "\u{feff}{}",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
        assert!(is_json(&format!("{}{}", "[".repeat(64), "]".repeat(64))));
        assert!(!is_json(&"[".repeat(1_000_000)));
    }

    proptest! {
        #[test]
        fn agrees_with_a_json_library(text in r#"[\[\]{}",:0-9eE.+\-tf \\nu]{0,12}|\{"a":[\[\]{}",:01eE.+\-]{0,8}\}"#) {
            let parsed = serde_json::from_str::<serde_json::Value>(&text);
            // a number of any size is one here
            let is_too_large = parsed.as_ref().is_err_and(|e| e.to_string().contains("out of range"));
            prop_assert_eq!(is_json(&text), parsed.is_ok() || is_too_large, "{}", text);
        }
    }
}
