//! The texts of an error, and of its causes, as they may be printed.

use std::{borrow::Cow, error::Error as StdError, fmt, iter, sync::Arc};

use crate::visible_text::{Visible, visible};

/// The causes of one error that are kept if one of them has to be changed.
const MAX_CAUSES: usize = 16;

/// A cause with a text that may be printed. It stands for one whose text, `Debug` or cause may not.
struct PrintableCause {
    text: String,
    source: Option<Source>,
}

pub(super) type Source = Arc<dyn StdError + Send + Sync>;

impl fmt::Debug for PrintableCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)?;
        match &self.source {
            Some(source) => write!(f, ": {source:?}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PrintableCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for PrintableCause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

/// Returns `source`, or a copy of its texts if `print` changes one of them, or, with
/// `includes_debug`, what `Debug` prints. A copied chain of causes is cut, because it may have no
/// end. A cause of which `typed` returns a copy keeps its type.
pub(super) fn printable_source(
    source: Source,
    print: &dyn Fn(&str) -> Option<String>,
    includes_debug: bool,
    typed: &dyn Fn(&(dyn StdError + 'static)) -> Option<Source>,
) -> Source {
    let chain = || {
        iter::successors(Some(&*source as &(dyn StdError + 'static)), |e| {
            (**e).source()
        })
    };
    let is_changed = |error: &(dyn StdError + 'static)| print(&error.to_string()).is_some();
    // `Debug` may print more than the texts, and prints what the causes hold
    let is_debug_changed = || includes_debug && print(&format!("{source:?}")).is_some();
    if !chain().take(MAX_CAUSES).any(is_changed) && !is_debug_changed() {
        return source;
    }
    let causes: Vec<_> = chain().take(MAX_CAUSES).collect();
    let copied = causes.into_iter().rev().fold(None, |below, cause| {
        let copied = || -> Source {
            let text = cause.to_string();
            Arc::new(PrintableCause {
                text: print(&text).unwrap_or(text),
                source: below,
            })
        };
        Some(typed(cause).unwrap_or_else(copied))
    });
    copied.unwrap_or(source)
}

/// Returns a text without its invisible characters, if it has any.
pub(super) fn without_invisible(text: &str) -> Option<String> {
    match visible(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

/// Shows what `Debug` of a cause shows, without invisible characters.
pub(super) struct DebugOf<'a>(pub(super) &'a Source);

impl fmt::Debug for DebugOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            // its line breaks are those of the format
            let shown = format!("{:#?}", self.0);
            let lines: Vec<_> = shown.lines().map(visible).collect();
            f.write_str(&lines.join("\n"))
        } else {
            write!(f, "{}", Visible(format_args!("{:?}", self.0)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::{Error, ErrorKind};

    #[test]
    fn a_message_and_its_causes_have_no_invisible_characters() {
        let io = io::Error::other("reset\u{202e}");
        let error = Error::new(ErrorKind::Connection, "a\nb".to_owned()).with_source(io);
        assert_eq!(error.to_string(), "ab");
        assert_eq!(error.source().unwrap().to_string(), "reset");
        let io = io::Error::from(io::ErrorKind::TimedOut);
        let error = Error::connection(io);
        assert!(error.source().unwrap().is::<io::Error>());
    }

    #[test]
    fn an_error_of_ours_keeps_its_type_in_a_copied_chain() {
        let inner = Error::new(ErrorKind::Denied, "denied");
        #[derive(Debug)]
        struct Outer(Error);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("outer\u{1b}[31m")
            }
        }
        impl StdError for Outer {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&self.0)
            }
        }
        let error = Error::connection(Outer(inner));
        let outer = error.source().unwrap();
        assert_eq!(outer.to_string(), "outer[31m");
        let inner = outer.source().unwrap().downcast_ref::<Error>();
        assert_eq!(inner.map(Error::kind), Some(ErrorKind::Denied));
    }
}
