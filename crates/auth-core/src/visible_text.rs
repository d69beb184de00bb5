//! Which characters of a text from outside may reach an error or a log.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// Returns whether `c` is a control, or shows nothing, or changes how the characters around it are
/// shown: general category Cc or Cf, `Default_Ignorable_Code_Point`, the separators of lines and
/// paragraphs, and noncharacters (Unicode 16).
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{34F}'
                | '\u{600}'..='\u{605}'
                | '\u{61C}'
                | '\u{6DD}'
                | '\u{70F}'
                | '\u{890}'..='\u{891}'
                | '\u{8E2}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{3164}'
                | '\u{FDD0}'..='\u{FDEF}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}'
                | '\u{110BD}'
                | '\u{110CD}'
                | '\u{13430}'..='\u{1343F}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Returns `text` without its invisible characters.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_invisible) {
        text.chars().filter(|c| !is_invisible(*c)).collect()
    } else {
        text.into()
    }
}

/// Shows the inner value without its invisible characters.
pub(crate) struct Visible<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Visible<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Filter(f), "{}", self.0)
    }
}

struct Filter<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Filter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(&visible(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_left_out_and_all_others_kept() {
        let kept = "a é пароль 漢字 🔑 \u{301} \u{a0}\u{fffd}";
        assert!(matches!(visible(kept), Cow::Borrowed(text) if text == kept));
        let text = "a\r\n\u{1b}[31m\u{202e}b\u{200b}\u{feff}c\u{2028}\u{e0041}\u{fe0f}\u{ffff}";
        assert_eq!(visible(text), "a[31mbc");
        assert_eq!(Visible(text).to_string(), "a[31mbc");
    }
}
